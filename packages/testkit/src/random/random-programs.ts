import fc from "fast-check";
import { type RandomProgram, type RandomStep, WINDOW_PAGES } from "./random-step.ts";
import { afterClosing, touching } from "./revoked-steps.ts";
import { kind, simpleSteps } from "./simple-steps.ts";

/** How random programs are made. */
export interface RandomShape {
  /** Threads of a program, at most. */
  readonly threads: number;
  /** Steps of a thread, at most; a child does a third of them, at most. */
  readonly steps: number;
  /** Pages of the object that is mapped; some mappings begin past its end. */
  readonly pages: number;
}

/** Steps of a sequence begin so near to each other that most meet what another has mapped. */
const NARROW = 10;

/**
 * What one thread does, and what others do while it waits for them: a single order of steps, so that every outcome can be
 * foretold, and compared with what somebody else makes of it.
 */
export function sequentialSteps({
  steps,
  pages,
}: Pick<RandomShape, "steps" | "pages">): fc.Arbitrary<readonly RandomStep[]> {
  const simple = simpleSteps(pages, NARROW);
  const few = { maxLength: 4, size: "max" } as const;
  const whileRevoked = kind("while-revoked", {
    who: fc.constantFrom("thread", "child", "killed-child"),
    steps: fc.array(fc.oneof(...touching(NARROW)), { ...few, minLength: 1 }),
    meanwhile: fc.array(fc.oneof(...afterClosing(NARROW)), few),
  });
  const child = (inner: readonly fc.WeightedArbitrary<RandomStep>[]) =>
    kind("fork", {
      steps: fc.array(fc.oneof(...inner), { maxLength: Math.ceil(steps / 3), size: "max" }),
      parent: fc.constant("waits"),
      end: fc.constantFrom("returns", "exits"),
    });
  const withWaiting = [...simple, { weight: 2, arbitrary: whileRevoked }];
  const grandchild = { weight: 2, arbitrary: child(withWaiting) };
  return fc.array(fc.oneof(...withWaiting, { weight: 3, arbitrary: child([...withWaiting, grandchild]) }), {
    maxLength: steps,
    size: "max",
  });
}

/** Programs of threads and children that all go on at the same time, some of which are killed. */
export function randomPrograms({ threads, steps, pages }: RandomShape): fc.Arbitrary<RandomProgram> {
  const simple = simpleSteps(pages, WINDOW_PAGES);
  const fork = kind("fork", {
    steps: fc.array(fc.oneof(...simple), { maxLength: Math.ceil(steps / 3), size: "max" }),
    parent: fc.constantFrom("waits", "goes-on", "goes-on"),
    end: fc.constantFrom("returns", "exits", "is-killed"),
  });
  const thread = fc.array(fc.oneof(...simple, { weight: 3, arbitrary: fork }), {
    maxLength: steps,
    size: "max",
  });
  return fc.record({ threads: fc.array(thread, { minLength: 1, maxLength: threads, size: "max" }) });
}
