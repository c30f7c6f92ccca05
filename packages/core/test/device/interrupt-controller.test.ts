import { describe, expect, it } from "vitest";
import { runsOf, seedsBelow } from "../../../../tools/exploration.ts";
import type { Point, Sleepable } from "../../src/contract/execution.ts";
import type {
  InterruptHandler,
  InterruptLine,
  InterruptMode,
} from "../../src/device/interrupt-controller.ts";
import { Access, ObjectKind } from "../../src/sched/points.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { World } from "../support/world.ts";

const SEEDS = 200;

/** A world whose device asserts its line while a driver takes its handler off; what the handler does is up to the test. */
function raceFree(
  seed: number,
  mode: InterruptMode,
  handlerOf: (line: InterruptLine, step: () => Point) => InterruptHandler,
  afterwards: () => void,
): void {
  const world = new World({ chooser: randomChooser(seed), cpus: 3 });
  const { sched, interrupts } = world.machine;
  const line = interrupts.connect(mode, 1);
  const register = sched.nextObject();
  const step = () => sched.at(ObjectKind.cell, register, Access.write);
  expect(line.request("driver", handlerOf(line, step))).toBe(0);
  const start = (name: string, cpu: number, body: () => Sleepable<void>) =>
    sched.spawn({ name, kind: "kernel", cpu }, body());
  function* raise(): Sleepable<void> {
    yield* world.kernel.time.sleep(1);
    line.raise();
  }
  function* free(): Sleepable<void> {
    yield* world.kernel.time.sleep(1);
    yield* line.free();
    afterwards();
  }
  start("device", 0, raise);
  start("driver", 2, free);
  const { status, waiting } = world.run();
  expect({ seed, status, waiting }).toEqual({ seed, status: "finished", waiting: [] });
  world.finish();
}

describe("free_irq", () => {
  it("MUST return when the handler that it waited for ends with the level still asserted", () => {
    let handled = 0;
    for (const seed of seedsBelow(SEEDS)) {
      const handlerOf = (_line: InterruptLine, step: () => Point): InterruptHandler =>
        function* () {
          handled++;
          yield step();
          return "not-mine";
        };
      raceFree(seed, "level", handlerOf, () => {});
    }
    expect(handled).toBeGreaterThan(runsOf(SEEDS) / 4);
  });

  it.each(["level", "message"] as const)(
    "MUST wait until the handler runs nowhere: nothing of it is seen afterwards (%s)",
    (mode) => {
      let waited = 0;
      for (const seed of seedsBelow(SEEDS)) {
        let running = 0;
        let isFreed = false;
        const handlerOf = (line: InterruptLine, step: () => Point): InterruptHandler =>
          function* () {
            expect({ seed, isFreed }).toEqual({ seed, isFreed: false });
            running++;
            for (let at = 0; at < 3; at++) yield step();
            line.lower();
            running--;
            waited++;
            return "handled";
          };
        raceFree(seed, mode, handlerOf, () => {
          expect({ seed, running }).toEqual({ seed, running: 0 });
          isFreed = true;
        });
      }
      expect(waited).toBeGreaterThan(runsOf(SEEDS) / 4);
    },
  );
});
