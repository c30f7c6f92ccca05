import { VM_EXEC, VM_READ, VM_WRITE } from "@nopage/core";
import fc from "fast-check";
import { type RandomProgram, type RandomStep, WINDOW_PAGES } from "./random-step.ts";

/** How random programs are made. */
export interface RandomShape {
  /** Threads of a program, at most. */
  readonly threads: number;
  /** Steps of a thread, at most; a child does a third of them, at most. */
  readonly steps: number;
  /** Pages of the object that is mapped; some mappings begin past its end. */
  readonly pages: number;
}

const RW = VM_READ | VM_WRITE;

const pages = fc.integer({ min: 1, max: 8 });
const protection = fc.constantFrom(RW, RW, RW, VM_READ, VM_READ | VM_EXEC, VM_WRITE, 0);
const value = fc.integer({ min: 1, max: 0xffff });
const access = fc.constantFrom("read" as const, "write" as const);
/** Bytes that are not whole pages of any size. */
const odd = fc.constantFrom(0, 1, 8, 100, 4095, 4097, 8192, 12_289);
const skew = fc.constantFrom(0, 0, 0, 1, 512);

/** Steps of one kind, by their fields. */
function kind<K extends RandomStep["step"]>(
  step: K,
  fields: { readonly [F in Exclude<keyof Extract<RandomStep, { step: K }>, "step">]: fc.Arbitrary<unknown> },
): fc.Arbitrary<RandomStep> {
  return fc.record({ step: fc.constant(step), ...fields }) as fc.Arbitrary<RandomStep>;
}

/**
 * Every step that ends by itself, by how often it is taken.
 *
 * @param window pages of the window in which steps begin
 */
function stepsOf(objectPages: number, window = WINDOW_PAGES): fc.WeightedArbitrary<RandomStep>[] {
  const first = fc.nat({ max: objectPages });
  const at = fc.nat({ max: window - 1 });
  const range = { at, pages };
  return [
    {
      weight: 8,
      arbitrary: kind("map", {
        ...range,
        thing: fc.constantFrom("object", "object", "anonymous", "file"),
        first,
        protection,
        sharing: fc.constantFrom("shared", "private"),
        populating: fc.constantFrom("on-demand", "on-demand", "populate"),
      }),
    },
    {
      weight: 1,
      arbitrary: kind("map-oddly", {
        at,
        skew,
        length: odd,
        placement: fc.constantFrom("fixed", "fixed-noreplace"),
      }),
    },
    {
      weight: 2,
      arbitrary: kind("map-opened", {
        at,
        mode: fc.constantFrom("read", "write", "read-write"),
        first,
        length: odd,
        protection,
        sharing: fc.constantFrom("shared", "private"),
      }),
    },
    { weight: 1, arbitrary: kind("command", {}) },
    { weight: 3, arbitrary: kind("unmap", range) },
    { weight: 1, arbitrary: kind("unmap-oddly", { at, skew, length: odd }) },
    { weight: 3, arbitrary: kind("protect", { ...range, protection }) },
    {
      weight: 3,
      arbitrary: kind("advise", {
        ...range,
        advice: fc.constantFrom(
          "dontneed",
          "dontneed",
          "dontfork",
          "dofork",
          "dontdump",
          "dodump",
          "populate-read",
          "populate-write",
        ),
      }),
    },
    { weight: 1, arbitrary: kind("lock", range) },
    { weight: 1, arbitrary: kind("unlock", range) },
    { weight: 1, arbitrary: kind("sync", { ...range, others: fc.constantFrom("keep", "invalidate") }) },
    { weight: 2, arbitrary: kind("resize", { ...range, to: pages }) },
    {
      weight: 2,
      arbitrary: kind("move", {
        ...range,
        to: at,
        newPages: pages,
        oldRange: fc.constantFrom("unmap", "unmap", "keep"),
      }),
    },
    { weight: 1, arbitrary: kind("truncate", { pages: fc.nat({ max: 8 }) }) },
    { weight: 8, arbitrary: kind("load", { at }) },
    { weight: 10, arbitrary: kind("store", { at, value }) },
    { weight: 4, arbitrary: kind("reach", { at }) },
    { weight: 4, arbitrary: kind("put", { at, value }) },
    { weight: 1, arbitrary: kind("pin", { ...range, access }) },
    { weight: 1, arbitrary: kind("revoke", {}) },
  ];
}

/** Steps of a sequence begin so near to each other that most meet what another has mapped. */
const NARROW = 10;

/**
 * What one thread does, and what its children do while it waits for them: a single order of steps, so that every outcome
 * can be foretold, and compared with what somebody else makes of it.
 */
export function sequentialSteps({
  steps,
  pages,
}: Pick<RandomShape, "steps" | "pages">): fc.Arbitrary<readonly RandomStep[]> {
  const simple = stepsOf(pages, NARROW);
  const fork = kind("fork", {
    steps: fc.array(fc.oneof(...simple), { maxLength: Math.ceil(steps / 3), size: "max" }),
    parent: fc.constant("waits"),
    end: fc.constantFrom("returns", "exits"),
  });
  return fc.array(fc.oneof(...simple, { weight: 3, arbitrary: fork }), { maxLength: steps, size: "max" });
}

/** Programs of threads and children that all go on at the same time, some of which are killed. */
export function randomPrograms({ threads, steps, pages }: RandomShape): fc.Arbitrary<RandomProgram> {
  const simple = stepsOf(pages);
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
