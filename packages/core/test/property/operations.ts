import fc from "fast-check";
import { VM_READ, VM_WRITE } from "../../src/contract/area-flags.ts";

/** Pages of the window in which everything happens. */
export const WINDOW = 24;
/** Pages of the device's RAM, of its registers, and the most that the memory file has. */
export const OBJECT_PAGES = 8;

/** One random operation on one address space; places and lengths in pages of the window. */
export type Operation =
  | {
      readonly kind: "map";
      readonly at: number;
      readonly pages: number;
      readonly of: "anonymous" | "file" | "device" | "registers";
      readonly first: number;
      readonly sharing: "shared" | "private";
      readonly protection: number;
    }
  | { readonly kind: "unmap"; readonly at: number; readonly pages: number }
  | { readonly kind: "protect"; readonly at: number; readonly pages: number; readonly protection: number }
  | { readonly kind: "move"; readonly at: number; readonly pages: number; readonly to: number }
  | { readonly kind: "grow"; readonly at: number; readonly pages: number; readonly more: number }
  | { readonly kind: "discard"; readonly at: number; readonly pages: number }
  | { readonly kind: "lock"; readonly at: number; readonly pages: number }
  | { readonly kind: "unlock"; readonly at: number; readonly pages: number }
  | { readonly kind: "pin"; readonly at: number; readonly access: "read" | "write" }
  | { readonly kind: "load"; readonly at: number }
  | { readonly kind: "store"; readonly at: number; readonly value: number }
  | { readonly kind: "truncate"; readonly pages: number }
  | {
      readonly kind: "revoke";
      readonly of: "device" | "registers";
      readonly first: number;
      readonly pages: number;
      readonly reach: "even-cows" | "shared-only";
    }
  | { readonly kind: "fork"; readonly child: readonly Operation[] };

const RW = VM_READ | VM_WRITE;
const at = fc.nat({ max: WINDOW - 1 });
const pages = fc.integer({ min: 1, max: 8 });
const protection = fc.constantFrom(0, VM_READ, RW, RW, RW, VM_WRITE);
const sharing = fc.constantFrom("shared" as const, "private" as const);
const first = fc.nat({ max: OBJECT_PAGES - 1 });
const reach = fc.constantFrom("even-cows" as const, "shared-only" as const);

function one<K extends string, S extends object>(kind: K, shape: { [P in keyof S]: fc.Arbitrary<S[P]> }) {
  return fc.record({ kind: fc.constant(kind), ...shape }) as unknown as fc.Arbitrary<
    Extract<Operation, { kind: K }>
  >;
}

const simple: { readonly weight: number; readonly arbitrary: fc.Arbitrary<Operation> }[] = [
  {
    weight: 5,
    arbitrary: one("map", {
      at,
      pages,
      of: fc.constantFrom("anonymous", "anonymous", "file", "device", "registers"),
      first,
      sharing,
      protection,
    }),
  },
  { weight: 2, arbitrary: one("unmap", { at, pages }) },
  { weight: 3, arbitrary: one("protect", { at, pages, protection }) },
  { weight: 2, arbitrary: one("move", { at, pages, to: at }) },
  { weight: 1, arbitrary: one("grow", { at, pages, more: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: one("discard", { at, pages }) },
  { weight: 1, arbitrary: one("lock", { at, pages }) },
  { weight: 1, arbitrary: one("unlock", { at, pages }) },
  {
    weight: 1,
    arbitrary: one("pin", { at, access: fc.constantFrom("read" as const, "write" as const) }),
  },
  { weight: 9, arbitrary: one("load", { at }) },
  { weight: 14, arbitrary: one("store", { at, value: fc.integer({ min: 1, max: 0xffff }) }) },
  { weight: 1, arbitrary: one("truncate", { pages: fc.nat({ max: OBJECT_PAGES }) }) },
  {
    weight: 1,
    arbitrary: one("revoke", { of: fc.constant("device"), first, pages: fc.nat({ max: 4 }), reach }),
  },
  {
    weight: 1,
    arbitrary: one("revoke", {
      of: fc.constant("registers"),
      first: fc.constant(0),
      pages: fc.constant(0),
      reach,
    }),
  },
];

/** Programs of up to so many operations; children run shorter ones, without children of their own. */
export function programs(maxLength: number): fc.Arbitrary<readonly Operation[]> {
  const child = fc.array(fc.oneof(...simple), { maxLength: Math.ceil(maxLength / 3), size: "max" });
  return fc.array(fc.oneof(...simple, { weight: 1, arbitrary: one("fork", { child }) }), {
    maxLength,
    size: "max",
  });
}

/** The same as one fixed program for a seed: for tests of determinism and for random schedules. */
export function programOf(seed: number, length: number): readonly Operation[] {
  return fc
    .sample(programs(length), { seed, numRuns: 20 })
    .sort((a, b) => b.length - a.length)[0] as readonly Operation[];
}

/** What every program begins with: one of each kind of memory, so that the random part meets something. */
export const prelude: readonly Extract<Operation, { kind: "map" }>[] = [
  { kind: "map", at: 0, pages: 6, of: "anonymous", first: 0, sharing: "private", protection: RW },
  { kind: "map", at: 6, pages: 6, of: "file", first: 1, sharing: "shared", protection: RW },
  { kind: "map", at: 12, pages: 4, of: "device", first: 0, sharing: "private", protection: RW },
  { kind: "map", at: 16, pages: 4, of: "device", first: 2, sharing: "shared", protection: RW },
  { kind: "map", at: 20, pages: 4, of: "registers", first: 0, sharing: "private", protection: RW },
];
