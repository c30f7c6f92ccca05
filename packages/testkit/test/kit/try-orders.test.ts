import { ContractViolation, defineStrategy, isTrap, type Point } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { NotTheSameProgram } from "#src/explore/search";
import type { Law, LawCase } from "#src/laws/law";
import { contendersOf } from "#src/model/contender";
import { plainPages } from "#src/model/plain-pages";
import { mustBe, succeed } from "#src/program/expect";
import { user } from "#src/program/user";
import { runLaw } from "#src/run/run-law";
import { tryOrders } from "#src/run/try-orders";

const twoReaders: LawCase = {
  when: "",
  schedule: "racy",
  *program({ subject }) {
    const address = yield* succeed("mmap", subject.map());
    const reader = yield* user.thread(function* () {
      const seen = yield* user.load(address);
      if (!isTrap(seen)) mustBe("what the reader sees", seen, subject.markOf(0));
    }, "reader");
    yield* user.load(address);
    yield* user.join(reader);
  },
};

const law: Law = {
  id: "XX-02",
  level: "required",
  owner: ["strategy"],
  rule: "two readers MUST see the same",
  source: "this test",
  cases: [twoReaders],
};

/** Takes other steps each time that it is put to work, so that no order of steps can be taken twice. */
function fickle() {
  let times = 0;
  return defineStrategy({
    ...plainPages,
    name: "fickle",
    supports: { ...plainPages.supports, holes: false },
    create(kernel) {
      const detour = times++ % 7;
      const cells = ["one", "two"].map((name) => kernel.sync.shared(name, 0));
      const right = plainPages.create(kernel);
      return {
        ...right,
        mmap(area, backing) {
          const ops = right.mmap(area, backing);
          if (typeof ops === "number" || Symbol.iterator in ops) return ops;
          const { nopage } = ops;
          if (nopage === undefined) return ops;
          return {
            ...ops,
            *nopage(fault) {
              for (let step = 0; step < detour; step++) yield* cells[(step + detour) % 2]?.get() ?? nowhere();
              const answer = nopage.call(ops, fault);
              return Symbol.iterator in answer ? yield* answer : answer;
            },
          };
        },
      };
    },
  });
}

function* nowhere(): Generator<Point, number, void> {
  return 0;
}

const [contender] = contendersOf(plainPages);
if (contender === undefined) throw new Error("plain pages show memory of some kind");

describe("where a search cannot go on", () => {
  it("because the program does not do the same again, orders MUST be drawn at random, and MUST be told as such", () => {
    const { status, explored } = runLaw(law, contendersOf(fickle()), "x86-64", 60);
    expect({ status, explored }).toEqual({
      status: "pass",
      explored: "60 random orders, and there are more",
    });
  });

  it("because it is wrong itself, that MUST be told as a mistake of the kit, and nothing MUST be drawn at random", () => {
    const wrong = () => {
      throw new TypeError("the search has lost its way");
    };
    expect(() => tryOrders(twoReaders, contender, "x86-64", 5, wrong)).toThrow(
      "the search for orders of steps failed, which is a mistake of the kit: TypeError: the search has lost its way",
    );
  });

  it("because the plugin breaks its contract, the plugin MUST be blamed", () => {
    const breach = new ContractViolation("fickle", "create", "threw up", undefined);
    const wrong = () => {
      throw breach;
    };
    expect(() => tryOrders(twoReaders, contender, "x86-64", 5, wrong)).toThrow(breach);
  });

  it("a search that says so by its class alone MUST be followed by random orders", () => {
    const lost = () => {
      throw new NotTheSameProgram("task 3 cannot go on");
    };
    const orders = tryOrders(twoReaders, contender, "x86-64", 5, lost);
    expect(orders).toEqual({ method: "random", executions: 5, complete: false, problems: [] });
  });
});
