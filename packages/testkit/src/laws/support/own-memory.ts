import { VM_READ, VM_WRITE } from "@nopage/core";
import { mustBe, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject } from "../../subject/subject.ts";
import { freeRange } from "./reserved-range.ts";

/** Loads and stores. */
export const READ_WRITE = VM_READ | VM_WRITE;

/** How a law maps memory of its own; private, for loads and stores, where left out. */
export interface OwnMemory {
  readonly protection?: number;
  readonly sharing?: "shared" | "private";
  readonly locking?: "unlocked" | "locked";
  readonly populating?: "on-demand" | "populate";
}

/** Whatever has pages of a size. */
export type Paged = Pick<Subject, "pageSize">;

/** Maps `pages` pages without a file at an address, with `MAP_FIXED`: the answer. */
export function mapAt(
  { pageSize }: Paged,
  address: number,
  pages: number,
  how: OwnMemory = {},
): Steps<number> {
  return user.mmap({
    address,
    length: pages * pageSize,
    protection: READ_WRITE,
    sharing: "private",
    placement: "fixed",
    ...how,
  });
}

/** Maps them where the kernel wants, which must succeed. */
export function mapAnywhere({ pageSize }: Paged, pages: number, how: OwnMemory = {}): Steps<number> {
  const request = { length: pages * pageSize, protection: READ_WRITE, sharing: "private", ...how } as const;
  return succeed(`mmap of ${pages} pages of memory`, user.mmap(request));
}

/**
 * A free range in the middle of a larger one, so that nothing that lies around can be merged with what is put there: its
 * address.
 */
export function* islandOf(subject: Paged, pages: number): Steps<number> {
  return (yield* freeRange(subject, pages + 2)) + subject.pageSize;
}

/** Private memory on an island, each page of which begins with the value given; a value of 0 is a page never touched. */
export function* writtenIsland(
  subject: Paged,
  values: readonly number[],
  room = values.length,
): Steps<number> {
  const address = yield* islandOf(subject, room);
  mustBe("mmap of memory", yield* mapAt(subject, address, values.length), address);
  yield* write(subject, address, values);
  return address;
}

/** Stores a value at the beginning of each page; a page with a value of 0 is not touched. */
export function* write({ pageSize }: Paged, address: number, values: readonly number[]): Steps<void> {
  for (const [page, value] of values.entries()) {
    if (value === 0) continue;
    mustBe(
      `a store to page ${page} of memory`,
      yield* user.store(address + page * pageSize, value),
      undefined,
    );
  }
}

/** Each page from `address` on must begin with the value given. */
export function* mustRead(
  { pageSize }: Paged,
  what: string,
  address: number,
  values: readonly number[],
): Steps<void> {
  for (const [page, value] of values.entries()) {
    mustBe(`${what}: a load from page ${page}`, yield* user.load(address + page * pageSize), value);
  }
}

/** The areas in a range must have exactly these bounds, in pages from `address` on. */
export function* mustLieAs(
  { pageSize }: Paged,
  what: string,
  address: number,
  pages: number,
  bounds: readonly (readonly [first: number, end: number])[],
): Steps<void> {
  const end = address + pages * pageSize;
  const seen = (yield* user.smaps())
    .filter((area) => area.start < end && area.end > address)
    .map((area) => [(area.start - address) / pageSize, (area.end - address) / pageSize]);
  mustBe(`the areas of ${what}, in pages`, seen, bounds);
}
