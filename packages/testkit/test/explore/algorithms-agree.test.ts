import fc from "fast-check";
import { expect, it } from "vitest";
import { ExhaustiveSearch } from "#src/explore/exhaustive-search";
import { exploreProgram, plainDependence } from "#src/explore/program/explore-program";
import type { PlainProgram } from "#src/explore/program/plain-program";
import { PlainRun } from "#src/explore/program/plain-run";
import { largerThreads, lockingThreads, programOf, threads } from "./random-plain-programs.ts";

/** How many traces there are, by running every schedule; undefined when there are too many of those. */
function countTraces(program: PlainProgram): number | undefined {
  const search = new ExhaustiveSearch(plainDependence);
  const run = new PlainRun(program);
  const traces = new Set<string>();
  while (search.executions < 5000) {
    if (!search.runNext(run)) return traces.size;
    traces.add(search.order.traceHash());
  }
  return undefined;
}

it("MUST find the same final states and failures by every algorithm, and run each trace once by the optimal one", () => {
  let compared = 0;
  fc.assert(
    fc.property(threads, (bodies) => {
      const program = programOf(bodies);
      const traces = countTraces(program);
      if (traces === undefined) return;
      compared++;
      const all = exploreProgram(program, { algorithm: "exhaustive" });
      const optimal = exploreProgram(program);
      const source = exploreProgram(program, { algorithm: "source" });
      const messages = ({ failures }: typeof all) => failures.map(({ message }) => message).sort();
      expect(optimal).toMatchObject({ executions: traces, abandoned: 0, complete: true });
      expect(source).toMatchObject({ executions: traces, complete: true });
      for (const found of [optimal, source]) {
        expect(found.finalStates).toEqual(all.finalStates);
        expect(messages(found)).toEqual(messages(all));
        for (const { message, schedule } of found.failures) {
          expect(failureUnder(program, schedule)).toBe(message);
        }
      }
    }),
    { seed: 20_261_121, numRuns: 250 },
  );
  expect(compared).toBeGreaterThan(200);
});

it("MUST run a trace that shows only after another one has been met by the same beginning", () => {
  // Two races of the same steps, with other steps after them that could come before.
  const program = programOf([
    [{ op: "add", on: 0 }],
    [{ op: "read", on: 0, value: 0 }],
    [{ op: "add", on: 0 }],
    [
      { op: "look", on: 1 },
      { op: "look", on: 0 },
      { op: "read", on: 0, value: 0 },
    ],
    [
      { op: "update", on: 0, value: 0 },
      { op: "add", on: 1 },
    ],
  ]);
  expect(countTraces(program)).toBe(24);
  expect(exploreProgram(program)).toMatchObject({ executions: 24, abandoned: 0, complete: true });
});

it("MUST run a trace with source sets that shows only where a run is given up while a thread waits for a lock", () => {
  // The first thread comes to wait for itself. Where it has the lock, only the second one could go on, which sleeps.
  const program = programOf([
    [{ op: "locked", on: 0, inside: [{ op: "locked", on: 0, inside: [] }] }],
    [{ op: "locked", on: 1, inside: [{ op: "read", on: 0, value: 0 }] }],
    [{ op: "locked", on: 0, inside: [] }],
    [{ op: "locked", on: 0, inside: [{ op: "update", on: 0, value: 1 }] }],
  ]);
  expect(countTraces(program)).toBe(8);
  expect(exploreProgram(program, { algorithm: "source" })).toMatchObject({ executions: 8, complete: true });
  expect(exploreProgram(program)).toMatchObject({ executions: 8, abandoned: 0, complete: true });
});

it("MUST run every trace where a thread gives back the lock of another", () => {
  const program: PlainProgram = ({ variable, lock, thread }) => {
    const [guard, x] = [lock(), variable(0)];
    thread(function* () {
      yield* x.read();
      guard.unlock();
      yield* x.read();
    });
    thread(function* () {
      yield* x.read();
      yield* guard.lock();
    });
    thread(function* () {
      yield* guard.lock();
      yield* x.update((value) => value + 1);
      yield* x.write(0);
    });
    return () => x.value;
  };
  expect(countTraces(program)).toBe(25);
  expect(exploreProgram(program)).toMatchObject({ executions: 25, abandoned: 0, complete: true });
  expect(exploreProgram(program, { algorithm: "source" })).toMatchObject({ executions: 25, complete: true });
});

it.each([
  ["many steps", largerThreads],
  ["locks", lockingThreads],
])("MUST run as many traces by the optimal search as with source sets where there are %s", (_, bodiesOf) => {
  let compared = 0;
  fc.assert(
    fc.property(bodiesOf, (bodies) => {
      const program = programOf(bodies);
      const source = exploreProgram(program, { algorithm: "source", maxExecutions: 300 });
      if (!source.complete) return;
      compared++;
      expect(exploreProgram(program)).toMatchObject({ executions: source.executions, abandoned: 0 });
    }),
    { seed: 20_261_121, numRuns: 400 },
  );
  expect(compared).toBeGreaterThan(200);
});

/** What goes wrong when the threads run in this order. */
function failureUnder(program: PlainProgram, schedule: readonly number[]): string | undefined {
  const run = new PlainRun(program);
  let step = 0;
  run.run(() => schedule[step++] as number);
  run.keepOutcome();
  return run.outcome.failure;
}
