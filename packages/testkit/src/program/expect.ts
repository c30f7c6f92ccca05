import { errnoName, isError, isTrap, type Trap } from "@nopage/core";
import { DEVICE_FAULT, type Reached } from "../subject/subject.ts";
import type { Steps } from "./operation.ts";

/** A law does not hold: what was seen, and what had to be. */
export class LawBroken extends Error {
  override readonly name = "LawBroken";
}

/** How an access ends that has no page, or no permission, or no area behind it. */
export const SIGBUS = "SIGBUS BUS_ADRERR";
export const SIGSEGV_MAPERR = "SIGSEGV SEGV_MAPERR";
export const SIGSEGV_ACCERR = "SIGSEGV SEGV_ACCERR";

/** Both must be the same, value by value; traps may be given in words, such as `SIGBUS`. */
export function mustBe(what: string, seen: unknown, expected: unknown): void {
  const [one, other] = [inWords(seen), inWords(expected)];
  if (one !== other) throw new LawBroken(`${what} is ${one}, and must be ${other}`);
}

/** The condition must hold. */
export function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new LawBroken(otherwise);
}

/** A system call must have failed with an errno, given as its positive number. */
export function mustFail(what: string, result: number, errno: number): void {
  if (result !== -errno) {
    throw new LawBroken(`${what} answers ${resultInWords(result)}, and must fail with ${errnoName(errno)}`);
  }
}

/** A system call must have succeeded: what it answered. */
export function mustSucceed(what: string, result: number): number {
  if (isError(result)) throw new LawBroken(`${what} fails with ${errnoName(-result)}, and must succeed`);
  return result;
}

/** The same for a call that is still to be made. */
export function* succeed(what: string, call: Steps<number>): Steps<number> {
  return mustSucceed(what, yield* call);
}

/** An access must have reached its page: the value. */
export function mustReach<T>(what: string, seen: Reached<T>): T {
  if (isTrap(seen) || seen === DEVICE_FAULT) {
    throw new LawBroken(`${what} ends in ${inWords(seen)}, and must reach its page`);
  }
  return seen as T;
}

/** A value, a trap or a list of them, as reports write it. */
export function inWords(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inWords).join(", ")}]`;
  if (isTrap(value)) return trapInWords(value);
  if (typeof value === "number") return resultInWords(value);
  if (typeof value === "bigint") return `0x${value.toString(16)}`;
  if (typeof value === "object" && value !== null) return JSON.stringify(value);
  return String(value);
}

function trapInWords({ signal, code }: Trap): string {
  return `${signal} ${code}`;
}

function resultInWords(value: number): string {
  if (isError(value)) return `-${errnoName(-value)}`;
  return value > 0xffff ? `0x${value.toString(16)}` : String(value);
}
