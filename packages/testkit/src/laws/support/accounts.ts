import type { SmapsArea } from "@nopage/core";
import { LawBroken, mustBe } from "../../program/expect.ts";
import type { FaultCounts, Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";

/** Resident pages of the process must have grown by so many since `before`. */
export function* mustHaveGrown(what: string, before: number, pages: number): Steps<void> {
  mustBe(`what ${what} adds to VmRSS, in pages`, (yield* residentPages()) - before, pages);
}

/** VmRSS, in pages. */
export function* residentPages(): Steps<number> {
  return (yield* user.memoryStatus()).rss;
}

/** The calling thread must have taken so many faults since `before`, and no others. */
export function* mustHaveFaulted(what: string, before: FaultCounts, expected: FaultCounts): Steps<void> {
  const { minor, major } = yield* user.faults();
  mustBe(`the number of minor faults of ${what}`, minor - before.minor, expected.minor);
  mustBe(`the number of major faults of ${what}`, major - before.major, expected.major);
}

/** The area at an address, as smaps shows it. */
export function* areaAt(address: number): Steps<SmapsArea> {
  const area = (yield* user.smaps()).find(({ start, end }) => start <= address && address < end);
  if (area === undefined) throw new LawBroken(`smaps shows no area at 0x${address.toString(16)}`);
  return area;
}

/** The area at an address must have all of these flags; in the two letters of VmFlags. */
export function* mustHaveFlags(address: number, flags: readonly string[]): Steps<void> {
  const shown = (yield* areaAt(address)).flags;
  mustBe(
    `VmFlags that are missing of ${shown.join(" ")}`,
    flags.filter((flag) => !shown.includes(flag)).join(" "),
    "",
  );
}

/** References to all pages of the machine; for cases that look inside. */
export function* references(): Steps<number> {
  return yield* user.kernel(function* ({ machine }) {
    return machine.memory.frames.refcount.reduce((sum, count) => sum + count, 0);
  });
}
