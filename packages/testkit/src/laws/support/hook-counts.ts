import { mustBe } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import type { HookCounts, Subject } from "../../subject/subject.ts";
import type { Stage } from "../law.ts";

/** Why a law that counts hooks does not apply. */
export function countsNoHooks({ subject }: Stage): string | undefined {
  return subject.counts === undefined ? "its driver does not count its hooks" : undefined;
}

/** What a driver has counted so far; zeros for one that does not count. */
export function* countsOf({ counts }: Subject): Steps<HookCounts> {
  return counts === undefined ? { mmaps: 0, opens: 0, closes: 0, faults: 0 } : yield* counts();
}

/** `open` and `close` must have run exactly so often since `before`. */
export function* mustHaveRun(
  subject: Subject,
  what: string,
  before: HookCounts,
  { opens, closes }: Pick<HookCounts, "opens" | "closes">,
): Steps<void> {
  const now = yield* countsOf(subject);
  mustBe(`the number of opens after ${what}`, now.opens - before.opens, opens);
  mustBe(`the number of closes after ${what}`, now.closes - before.closes, closes);
}

/** As many areas of the subject must be alive as `open` and `close` say: one for each mmap, and those that open told of. */
export function* mustHaveAlive(subject: Subject, what: string, alive: number): Steps<void> {
  const { mmaps, opens, closes } = yield* countsOf(subject);
  mustBe(
    `the number of live areas after ${what}, counted by mmap, open and close`,
    mmaps + opens - closes,
    alive,
  );
}
