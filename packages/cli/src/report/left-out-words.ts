import type { LeftOut } from "@nopage/testkit";
import { andList, count } from "./words.ts";

/** What a failure does without of the law's program, as a line of its report; no line where it needs all of it. */
export function leftOutInWords(leftOut: readonly LeftOut[]): readonly string[] {
  if (leftOut.length === 0) return [];
  const parts = leftOut.map(({ name, after }) =>
    after === 0 ? `"${name}" does nothing` : `"${name}" ends after ${count(after, "operation")}`,
  );
  return [`  in a shorter program: ${andList(parts)}`];
}
