import fc from "fast-check";
import { expect, it } from "vitest";
import { ExhaustiveSearch } from "#src/explore/exhaustive-search";
import { exploreProgram, plainDependence } from "#src/explore/program/explore-program";
import type { PlainProgram } from "#src/explore/program/plain-program";
import { PlainRun } from "#src/explore/program/plain-run";

interface Change {
  readonly op: "read" | "write" | "update" | "compare-and-swap";
  readonly on: 0 | 1;
  readonly value: 0 | 1 | 2;
}

/** One statement of a thread, on one of two variables, two counters or two locks. */
type Statement =
  | Change
  | { readonly op: "add" | "look"; readonly on: 0 | 1 }
  | { readonly op: "locked"; readonly on: 0 | 1; readonly inside: readonly Statement[] }
  | { readonly op: "throw-if-two" };

const on = fc.constantFrom<(0 | 1)[]>(0, 1);
const value = fc.constantFrom<(0 | 1 | 2)[]>(0, 1, 2);
const simple: fc.Arbitrary<Statement> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constantFrom("read" as const, "write" as const, "update" as const, "compare-and-swap" as const),
      on,
      value,
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constantFrom("add" as const, "look" as const), on }) },
  { weight: 1, arbitrary: fc.constant({ op: "throw-if-two" as const }) },
);
const locked: fc.Arbitrary<Statement> = fc.record({
  op: fc.constant("locked" as const),
  on,
  inside: fc.array(
    fc.oneof(simple, fc.record({ op: fc.constant("locked" as const), on, inside: fc.constant([]) })),
    { maxLength: 1 },
  ),
});
const statement = fc.oneof({ weight: 3, arbitrary: simple }, { weight: 1, arbitrary: locked });
/** Few enough steps that every order of them can be run. */
const threads = fc.oneof(
  fc.array(fc.array(statement, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 2 }),
  fc.array(fc.array(statement, { minLength: 1, maxLength: 2 }), { minLength: 3, maxLength: 3 }),
  fc.array(fc.array(simple, { minLength: 1, maxLength: 1 }), { minLength: 4, maxLength: 4 }),
);

function programOf(bodies: readonly (readonly Statement[])[]): PlainProgram {
  return ({ variable, counter, lock, thread }) => {
    const variables = [variable(0), variable(0)] as const;
    const counters = [counter(), counter()] as const;
    const locks = [lock(), lock()] as const;
    const seen: (number | boolean)[][] = bodies.map(() => []);
    bodies.forEach((body, index) => {
      const mine = seen[index] as (number | boolean)[];
      thread(function* () {
        yield* run(body);
        function* run(statements: readonly Statement[]): ReturnType<Parameters<typeof thread>[0]> {
          for (const statement of statements) {
            if (statement.op === "read") mine.push(yield* variables[statement.on].read());
            else if (statement.op === "write") yield* variables[statement.on].write(statement.value);
            else if (statement.op === "update") {
              mine.push(yield* variables[statement.on].update((before) => (before + statement.value) % 3));
            } else if (statement.op === "compare-and-swap") {
              mine.push(yield* variables[statement.on].compareAndSwap(statement.value, index));
            } else if (statement.op === "add") yield* counters[statement.on].add(1);
            else if (statement.op === "look") mine.push(yield* counters[statement.on].read());
            else if (statement.op === "locked") {
              yield* locks[statement.on].lock();
              yield* run(statement.inside);
              locks[statement.on].unlock();
            } else if (mine.includes(2)) throw new Error(`thread ${index} saw two`);
          }
        }
      });
    });
    return () => [seen, ...variables.map((one) => one.value), ...counters.map((one) => one.value)];
  };
}

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

/** What goes wrong when the threads run in this order. */
function failureUnder(program: PlainProgram, schedule: readonly number[]): string | undefined {
  const run = new PlainRun(program);
  let step = 0;
  run.run(() => schedule[step++] as number);
  run.keepOutcome();
  return run.outcome.failure;
}
