import {
  type Access,
  type BackingKind,
  isError,
  isTrap,
  type MappingStrategy,
  type Sleepable,
  type UserThread,
} from "@nopage/core";
import { mapTestDevice, type TestDevice, type TestMapping } from "../test-device.ts";

/** A strategy on one kind of memory that it supports. */
export interface Subject {
  readonly strategy: MappingStrategy;
  readonly backing: BackingKind;
}

/** Something that a mapping must do, whoever made it. */
export interface Behaviour {
  /** Names the law and says what must hold: `LC-14 mremap MUST NOT grow it`. */
  readonly title: string;
  /** @throws Error that says what was seen and what was expected */
  readonly check: () => void;
}

/** Whether pages of the subject are counted while they are mapped. */
export function isOfPages({ strategy, backing }: Subject): boolean {
  return strategy.supports.countsPages.includes(backing);
}

/** Whether a private writable mapping of the subject is to be accepted. */
export function mayBePrivate({ strategy, backing }: Subject): boolean {
  return strategy.supports.privateWritable.includes(backing);
}

/** Maps a device, which must succeed: the address. */
export function* mapped(thread: UserThread, device: TestDevice, mapping?: TestMapping): Sleepable<number> {
  const address = yield* mapTestDevice(thread, device, mapping);
  if (isError(address)) throw new Error(`mmap answered ${address}`);
  return address;
}

/** Loads the first word of each of some pages. */
export function* loadPages(
  thread: UserThread,
  address: number,
  pages: number,
): Sleepable<readonly Access<number>[]> {
  const seen: Access<number>[] = [];
  for (let page = 0; page < pages; page++) {
    seen.push(yield* thread.load(address + page * thread.machine.geometry.pageSize));
  }
  return seen;
}

/** How an access that trapped is written in an expectation. */
export const SIGBUS = "SIGBUS BUS_ADRERR";
export const SIGSEGV = "SIGSEGV SEGV_MAPERR";

/** @throws Error when what was seen is not what was expected; traps are given in words */
export function expectSame(what: string, seen: unknown, expected: unknown): void {
  const [one, other] = [inWords(seen), inWords(expected)];
  if (one !== other) throw new Error(`${what}: got ${one}, want ${other}`);
}

function inWords(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inWords).join(", ")}]`;
  if (isTrap(value)) return `${value.signal} ${value.code}`;
  return typeof value === "number" && value > 0xffff ? `0x${value.toString(16)}` : String(value);
}
