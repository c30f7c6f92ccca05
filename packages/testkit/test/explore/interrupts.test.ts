import { randomChooser, type Shared } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { exploreLaw } from "#src/explore/explore-law";
import type { LawCase } from "#src/laws/law";
import { type Contender, contendersOf } from "#src/model/contender";
import { ModelWorld } from "#src/model/model-world";
import { plainPages } from "#src/model/plain-pages";
import { user } from "#src/program/user";

/**
 * One thread raises an interrupt while another adds to a cell in two steps, to which the handler adds as well: what the cell
 * was at the end of each run.
 */
function adding(seen: Set<number>): LawCase {
  return {
    when: "",
    schedule: "racy",
    *program() {
      const [cell, raise] = yield* user.kernel(function* ({ machine, kernel }) {
        const cell: Shared<number> = kernel.sync.shared("count", 0);
        const line = machine.interrupts.connect("message");
        line.request("driver", function* () {
          yield* cell.set((yield* cell.get()) + 1);
          return "handled";
        });
        return [cell, () => line.raise()] as const;
      });
      const adder = yield* user.thread(function* () {
        yield* user.kernel(function* () {
          yield* cell.set((yield* cell.get()) + 10);
        });
      }, "adder");
      yield* user.kernel(function* () {
        raise();
      });
      yield* user.join(adder);
      yield* user.settle();
      seen.add(yield* user.kernel(() => cell.get()));
    },
  };
}

const [contender] = contendersOf(plainPages) as readonly [Contender];

describe("an interrupt", () => {
  it("MUST meet a thread of another CPU between any two of its steps, and the search MUST end with none given up", () => {
    const reached = new Set<number>();
    const { complete, abandoned, counterexamples } = exploreLaw(adding(reached), contender, "x86-64");
    expect({ complete, abandoned, counterexamples }).toEqual({
      complete: true,
      abandoned: 0,
      counterexamples: [],
    });
    expect([...reached].sort()).toEqual([1, 10, 11]);
  });

  it("MUST NOT end in any other way under random schedules", () => {
    const reached = new Set<number>();
    for (let seed = 0; seed < 200; seed++) {
      const world = new ModelWorld(contender, { cpus: 9, interruptCpu: 8, chooser: randomChooser(seed) });
      expect(world.run(adding(reached)).problems).toEqual([]);
    }
    expect([...reached].sort()).toEqual([1, 10, 11]);
  });
});
