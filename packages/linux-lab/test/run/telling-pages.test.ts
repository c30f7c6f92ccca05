import { describe, expect, test } from "vitest";
import { NotObservable } from "../../src/execute/lab-executor.ts";
import { tellingPages } from "../../src/run/telling-pages.ts";
import { type SubjectAbilities, subjectOf } from "../../src/subject/lab-subject.ts";
import { memfd } from "../../src/subject/memfd.ts";

function marked(markOf: SubjectAbilities["markOf"], holes: readonly number[] = []) {
  return tellingPages(subjectOf({ ...memfd, holes }, { path: "/dev/mine", ...(markOf && { markOf }) }));
}

describe("the marks of a subject's pages", () => {
  test("that differ MUST be given as they are", () => {
    const subject = marked(undefined);
    expect([0, 1, 2, 3].map((page) => subject.markOf(page))).toEqual([
      0xface_0000, 0xface_0001, 0xface_0002, 0xface_0003,
    ]);
  });

  test("that are 0 MUST be given to nobody", () => {
    const subject = marked((page) => (page === 0 ? 7 : 0));
    expect(subject.markOf(0)).toBe(7);
    expect(() => subject.markOf(1)).toThrow(NotObservable);
    expect(() => subject.markOf(1)).toThrow("its page 1 cannot be told from memory that is empty");
  });

  test("that two pages share MUST be given to nobody, but where the other is a hole", () => {
    const twice = (page: number) => 1 + (page % 3);
    expect(() => marked(twice).markOf(0)).toThrow("its pages 0 and 3 cannot be told apart");
    expect(() => marked(twice).markOf(3)).toThrow(NotObservable);
    expect(marked(twice).markOf(1)).toBe(2);
    expect(marked(twice, [3]).markOf(0)).toBe(1);
  });
});
