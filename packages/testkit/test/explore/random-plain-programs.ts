import fc from "fast-check";
import type { PlainProgram } from "#src/explore/program/plain-program";

interface Change {
  readonly op: "read" | "write" | "update" | "compare-and-swap";
  readonly on: 0 | 1;
  readonly value: 0 | 1 | 2;
}

/** One statement of a thread, on one of two variables, two counters or two locks. */
export type Statement =
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
export const threads = fc.oneof(
  fc.array(fc.array(statement, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 2 }),
  fc.array(fc.array(statement, { minLength: 1, maxLength: 2 }), { minLength: 3, maxLength: 3 }),
  fc.array(fc.array(simple, { minLength: 1, maxLength: 1 }), { minLength: 4, maxLength: 4 }),
);

/** Of more threads, without locks: too many for every order of them to be run, and enough to divide. */
export const largerThreads = fc.array(fc.array(simple, { minLength: 1, maxLength: 3 }), {
  minLength: 3,
  maxLength: 5,
});

/** With locks, in which some wait for each other for ever. */
export const lockingThreads = fc.array(fc.array(statement, { minLength: 1, maxLength: 2 }), {
  minLength: 3,
  maxLength: 5,
});

export function programOf(bodies: readonly (readonly Statement[])[]): PlainProgram {
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
