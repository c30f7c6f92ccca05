import type { Steps, SubjectMapping } from "@nopage/testkit/executor";
import { NotObservable } from "../execute/lab-executor.ts";
import { mapWhole } from "../subject/lab-subject.ts";

/**
 * Maps an object whose driver takes no part of it for a whole, at an offset of `base` pages. What lies outside of it the driver
 * is asked for, as it has to refuse that.
 *
 * @throws NotObservable for a part of the object
 */
export function mapAllOrNothing(
  open: () => Steps<number>,
  objectPages: number,
  mapping: SubjectMapping = {},
  base = 0,
): Steps<number> {
  const { first = 0, pages = objectPages - first } = mapping;
  const isPart = pages > 0 && pages < objectPages && first + pages <= objectPages;
  if (isPart) throw new NotObservable("its driver maps all of it or nothing");
  return mapWhole(open, objectPages, mapping, base);
}
