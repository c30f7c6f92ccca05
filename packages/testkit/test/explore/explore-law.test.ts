import {
  type Area,
  defineStrategy,
  isTrap,
  type MappingStrategy,
  type Shared,
  sigbus,
  stepsConflict,
  VM_MIXEDMAP,
} from "@nopage/core";
import { describe, expect, it } from "vitest";
import { exploreLaw, type LawExploration } from "#src/explore/explore-law";
import { LawRun } from "#src/explore/law-run";
import { OptimalSearch } from "#src/explore/optimal-search";
import { replayLaw, settingOf } from "#src/explore/replay-law";
import { Dependence } from "#src/explore/step";
import type { LawCase } from "#src/laws/law";
import { type Contender, contendersOf } from "#src/model/contender";
import { plainPages } from "#src/model/plain-pages";
import { mustBe, succeed } from "#src/program/expect";
import type { Steps } from "#src/program/operation";
import { user } from "#src/program/user";

/** One thread touches a page while another takes the mapping away and gives it back. */
const touchDuringTransfer: LawCase = {
  when: "",
  schedule: "racy",
  *program({ subject }) {
    const address = yield* succeed("mmap", subject.map());
    const reader = yield* user.thread(function* () {
      const seen = yield* user.load(address);
      if (!isTrap(seen)) mustBe("what the reader sees", seen, subject.markOf(0));
    }, "reader");
    yield* subject.gate?.close() ?? [];
    yield* subject.gate?.open() ?? [];
    yield* user.join(reader);
  },
};

/** Two threads store to a page at once, after another one has come and gone; or from the start. */
function twoStores(before: "nobody" | "a thread that has ended", seen: unknown[]): LawCase {
  return {
    when: "",
    schedule: "racy",
    *program({ subject }) {
      const address = yield* succeed("mmap", subject.map());
      yield* user.store(address, 1);
      if (before !== "nobody") yield* user.join(yield* user.thread(() => loading(address), "before"));
      const other = yield* user.thread(() => storing(address), "other");
      yield* user.store(address, 3);
      yield* user.join(other);
      seen.push(yield* user.load(address));
    },
  };
}

function* loading(address: number): Steps<void> {
  yield* user.load(address);
}

function* storing(address: number): Steps<void> {
  yield* user.store(address, 2);
}

function explore(strategy: MappingStrategy): LawExploration {
  const [contender] = contendersOf(strategy);
  return exploreLaw(touchDuringTransfer, contender as Contender, "x86-64");
}

describe("a search through the schedules of a law", () => {
  it("MUST end, give no run up, and find nothing wrong with a strategy that is right", () => {
    const { complete, abandoned, executions, counterexamples } = explore(plainPages);
    expect({ complete, abandoned, counterexamples }).toEqual({
      complete: true,
      abandoned: 0,
      counterexamples: [],
    });
    expect(executions).toBeGreaterThan(10);
  });

  it("MUST be complete within a budget of as many runs as there are, and not within one less", () => {
    const [contender] = contendersOf(plainPages);
    const { executions } = explore(plainPages);
    const within = (maxExecutions: number) =>
      exploreLaw(touchDuringTransfer, contender as Contender, "x86-64", { maxExecutions });
    expect(within(executions)).toMatchObject({ executions, complete: true, asPlanned: true });
    expect(within(executions - 1)).toMatchObject({ complete: false, asPlanned: false });
  });

  it("MUST find the schedule under which a strategy that remembers an open gate shows a closed one", () => {
    const { complete, counterexamples } = explore(forgetful);
    expect(complete).toBe(true);
    expect(counterexamples.map(({ problems }) => problems[0])).toContainEqual(
      expect.stringContaining("what the reader sees is 0xdeaddead"),
    );
  });

  it("MUST try every order of threads that a task makes which had gone on alone", () => {
    const [contender] = contendersOf(plainPages);
    const [afterNobody, afterAThread]: unknown[][] = [[], []];
    const first = exploreLaw(twoStores("nobody", afterNobody), contender, "x86-64");
    const second = exploreLaw(twoStores("a thread that has ended", afterAThread), contender, "x86-64");
    expect(first).toMatchObject({ complete: true, abandoned: 0, counterexamples: [] });
    expect(second).toMatchObject({ complete: true, abandoned: 0, counterexamples: [] });
    expect(new Set(afterNobody)).toEqual(new Set([2, 3]));
    expect(new Set(afterAThread)).toEqual(new Set([2, 3]));
  });

  it("MUST tell what breaks after a task had gone on alone and made another, and in which order", () => {
    const lawCase: LawCase = {
      when: "",
      schedule: "racy",
      *program({ subject }) {
        const address = yield* succeed("mmap", subject.map());
        yield* user.join(yield* user.thread(() => loading(address), "before"));
        yield* user.sleep(100);
        yield* user.store(address, 1);
        const other = yield* user.thread(() => storing(address), "other");
        mustBe("what is there before the join", yield* user.load(address), 1);
        yield* user.join(other);
      },
    };
    const [contender] = contendersOf(plainPages);
    const { complete, counterexamples } = exploreLaw(lawCase, contender, "x86-64");
    expect(complete).toBe(true);
    expect(counterexamples.map(({ problems }) => problems)).toEqual([
      ["what is there before the join is 2, and must be 1"],
    ]);
    const schedule = counterexamples[0]?.schedule ?? [];
    const { problems, steps } = replayLaw(settingOf(lawCase, contender, "x86-64"), schedule);
    expect(problems).toEqual(["what is there before the join is 2, and must be 1"]);
    expect(steps.map(({ task }) => task)).toEqual(schedule);
  });

  it("MUST NOT ask for the steps of a task that is left alone, which nobody can come between", () => {
    const [contender] = contendersOf(plainPages);
    const lawCase = twoStores("nobody", []);
    const search = new OptimalSearch(new Dependence(stepsConflict));
    search.runNext(new LawRun(lawCase, contender, "x86-64"));
    const { steps } = replayLaw(settingOf(lawCase, contender, "x86-64"), []);
    const asked = search.order.steps.length;
    const alone = steps.slice(asked);
    expect(alone.length).toBeGreaterThan(5);
    expect(new Set(alone.map(({ name }) => name)).size).toBe(1);
  });
});

/** Looks at the gate, and writes the entry itself without another look. */
const forgetful = defineStrategy({
  ...plainPages,
  name: "forgetful",
  create(kernel) {
    const looks: Shared<number> = kernel.sync.shared("looks at the gate", 0);
    return {
      mmap: (area, backing) => ({
        name: claim(area),
        *nopage(fault) {
          if (fault.gate !== "open" || backing.memory.kind !== "page-array") return sigbus;
          yield* looks.set(1);
          const page = backing.memory.list[fault.pgoff];
          if (page === undefined) return sigbus;
          const result = yield* kernel.mappings.insertPage(fault.area, fault.address, page);
          return result === 0 ? { kind: "installed" } : sigbus;
        },
      }),
    };
  },
});

function claim(area: Area): string {
  area.flags |= VM_MIXEDMAP;
  return "forgetful";
}

describe("a task that is left alone and goes round for ever MUST be told, and not go on for ever:", () => {
  /** Asks another thread, which answers only if it was asked in time, and waits for the answer once that has ended. */
  function asking(wait: (address: number, answered: () => boolean) => Steps<void>): LawCase {
    return {
      when: "",
      schedule: "racy",
      machine: { stepLimit: 2_000 },
      *program({ subject }) {
        let isAnswered = false;
        const address = yield* succeed("mmap", subject.map());
        yield* user.store(address, 0);
        yield* user.store(address + 4, 0);
        const other = yield* user.thread(function* () {
          if ((yield* user.load(address)) !== 1) return;
          isAnswered = true;
          yield* user.store(address + 4, 1);
        }, "other");
        yield* user.store(address, 1);
        yield* user.join(other);
        yield* wait(address + 4, () => isAnswered);
      },
    };
  }

  it.each<[string, LawCase]>([
    [
      "in its program",
      asking(function* (address) {
        while ((yield* user.load(address)) !== 1);
      }),
    ],
    [
      "in the kernel",
      asking(function* (_address, answered) {
        yield* user.kernel(function* ({ kernel }) {
          const cell = kernel.sync.shared("a cell", 0);
          while (!answered()) yield* cell.get();
        });
      }),
    ],
  ])("%s", (_where, lawCase) => {
    const [contender] = contendersOf(plainPages);
    const { counterexamples } = exploreLaw(lawCase, contender as Contender, "x86-64", { atFailure: "stop" });
    expect(counterexamples[0]?.problems[0]).toMatch(/^it goes on for ever: law\/0 can run/);
  });
});
