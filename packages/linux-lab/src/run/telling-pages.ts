import type { Subject } from "@nopage/testkit/executor";
import { NotObservable } from "../execute/lab-executor.ts";

/**
 * The subject, the marks of which are given to no program that could not tell a wrong page by them: one that asks for a mark
 * that is 0, as memory that nobody has written is, or that another page has too, is skipped for that reason.
 */
export function tellingPages(subject: Subject): Subject {
  const claimed = Array.from({ length: subject.pages }, (_, page) => page).filter(
    (page) => !subject.holes.includes(page),
  );
  const marks = new Map(claimed.map((page) => [page, subject.markOf(page)]));
  return {
    ...subject,
    markOf(page) {
      const mark = subject.markOf(page);
      if (mark === 0) throw new NotObservable(`its page ${page} cannot be told from memory that is empty`);
      const twin = [...marks].find(([other, same]) => other !== page && same === mark);
      if (twin === undefined) return mark;
      throw new NotObservable(`its pages ${page} and ${twin[0]} cannot be told apart`);
    },
  };
}
