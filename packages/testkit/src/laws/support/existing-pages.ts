import type { Subject } from "../../subject/subject.ts";

/** The object's pages that are no holes, in order. */
export function existingPages({ pages, holes }: Subject): readonly number[] {
  return Array.from({ length: pages }, (_, page) => page).filter((page) => !holes.includes(page));
}
