import type { Process, UserThread } from "@nopage/core";
import { isTrap, type Sleepable, type Trap, type VirtualNs, VM_READ, VM_WRITE } from "@nopage/core/contract";
import { REGION_BYTES, region } from "../card/measurement-registers.ts";
import { HIGHWAY_PATH } from "../driver/highway-driver.ts";
import {
  encodeRequest,
  HIGHWAY_ACQUIRE,
  HIGHWAY_REWIND,
  HIGHWAY_START,
  HIGHWAY_WAIT,
} from "../driver/ioctl.ts";
import type { KillPlan } from "./kill-plan.ts";
import type { TransferResult } from "./unplugged-outcome.ts";

const protection = VM_READ | VM_WRITE;
/** Where the transfer starts in the buffer: before it there is room for the request, on the same page. */
const OFFSET = 64;
const ROUNDS = 2;
/** What happens meanwhile happens this long after the transfer was started. */
const MEANWHILE_NS = 4000;
const WATCH_NS = 1500;

/** A process that acquires a few blocks, with whatever its plan has in store meanwhile. */
export class Victim {
  /** Bytes of each transfer: two pages and a half. */
  readonly bytes: number;
  hasOpened = false;
  isDone = false;
  /** A transfer ended well, and the data was not there. */
  lostData = false;
  /** The child saw its own memory change. */
  isChildDamaged = false;
  longestWatchNs = 0;
  /** How its transfers ended, in order. */
  readonly transfers: TransferResult[] = [];
  /** What it met when it touched its mapping in the end: a value or a signal. */
  lastTouch: string | undefined = undefined;
  /** Signals other than SIGBUS that it met at the mapping. */
  readonly strangeTraps: string[] = [];
  /** The mapping goes: a thread that waited there for the card's gate meets nothing any more. */
  #isUnmapped = false;
  readonly #plan: KillPlan;
  readonly #pageSize: number;
  readonly #recording: Uint8Array;

  constructor(plan: KillPlan, pageSize: number, recording: Uint8Array) {
    this.#plan = plan;
    this.#pageSize = pageSize;
    this.#recording = recording;
    this.bytes = 2.5 * pageSize;
  }

  /** The program of the first thread. */
  *run(thread: UserThread): Sleepable<void> {
    const file = yield* thread.open({ path: HIGHWAY_PATH, mode: "read-write", blocking: "blocking" });
    this.hasOpened = file >= 0;
    if (file < 0) return;
    yield* thread.ioctl(file, HIGHWAY_REWIND, 0);
    const shown = yield* thread.mmap({
      length: REGION_BYTES,
      protection,
      sharing: "shared",
      descriptor: file,
    });
    // So that there is something to take away; a card that was pulled before cannot be mapped any more.
    if (shown > 0) this.#describe(yield* thread.load(shown + region.magic));
    if (this.#plan.threads === "multi" && shown > 0)
      thread.spawn((own) => this.#watch(own, shown), "watcher");
    for (let round = 0; round < ROUNDS; round++) yield* this.#acquire(thread, file, round);
    this.isDone = true;
    if (shown > 0) {
      this.lastTouch = this.#describe(yield* thread.load(shown + region.magic));
      this.#isUnmapped = true;
      yield* thread.munmap(shown, REGION_BYTES);
    }
    yield* thread.close(file);
  }

  *#acquire(thread: UserThread, file: number, round: number): Sleepable<void> {
    const length = 3 * this.#pageSize;
    const memory = yield* thread.mmap({ length, protection, sharing: "private" });
    const request = encodeRequest({ buffer: memory + OFFSET, bytes: this.bytes, interface: 0 });
    yield* thread.storeBlock(memory, request);
    let got: number;
    let endedAt: VirtualNs;
    if (this.#plan.threads === "single") {
      yield* thread.ioctl(file, HIGHWAY_START, memory);
      yield* this.#meanwhile(thread, memory, length);
      got = yield* thread.ioctl(file, HIGHWAY_WAIT);
      endedAt = thread.machine.sched.now;
    } else {
      let isOther = this.#plan.meanwhile.length > 0;
      const other = function* (this: Victim, own: UserThread): Sleepable<void> {
        yield* this.#meanwhile(own, memory, length);
        isOther = false;
      }.bind(this);
      if (isOther) isOther = typeof thread.spawn(other, "other") !== "number";
      got = yield* thread.ioctl(file, HIGHWAY_ACQUIRE, memory);
      endedAt = thread.machine.sched.now;
      while (isOther) yield* thread.nanosleep(WATCH_NS);
    }
    this.transfers.push({ endedAt, got });
    if (this.#plan.meanwhile.includes("munmap")) return;
    yield* this.#check(thread, memory, got, round);
    yield* thread.munmap(memory, length);
  }

  *#check(thread: UserThread, memory: number, got: number, round: number): Sleepable<void> {
    const found = yield* thread.loadBlock(memory + OFFSET, this.bytes);
    const from = round * this.bytes;
    const expected = this.#recording.subarray(from, from + this.bytes);
    if (got === this.bytes && (isTrap(found) || Buffer.compare(found, expected) !== 0)) this.lostData = true;
  }

  *#meanwhile(thread: UserThread, memory: number, length: number): Sleepable<void> {
    const { meanwhile } = this.#plan;
    if (meanwhile.length === 0) return;
    yield* thread.nanosleep(MEANWHILE_NS);
    if (meanwhile.includes("fork")) yield* this.#fork(thread, memory, length);
    if (meanwhile.includes("munmap")) yield* thread.munmap(memory, length);
  }

  /** Forks, and stores to every page that has room beside the transfer. */
  *#fork(thread: UserThread, memory: number, length: number): Sleepable<Process | number> {
    const child = yield* thread.fork((own) => this.#beChild(own, memory));
    yield* thread.store(memory, 1);
    yield* thread.store(memory + length - 4, 1);
    return child;
  }

  /** The child looks whether the memory that it got stays as it was. */
  *#beChild(thread: UserThread, memory: number): Sleepable<void> {
    const before = yield* thread.loadBlock(memory + OFFSET, this.bytes);
    yield* thread.nanosleep(5 * MEANWHILE_NS);
    const after = yield* thread.loadBlock(memory + OFFSET, this.bytes);
    if (isTrap(before) || isTrap(after) || Buffer.compare(before, after) !== 0) this.isChildDamaged = true;
  }

  *#watch(thread: UserThread, shown: number): Sleepable<void> {
    const { sched } = thread.machine;
    while (!this.isDone) {
      const start = sched.now;
      const value = yield* thread.load(shown + region.magic);
      if (this.#isUnmapped) return;
      this.#describe(value);
      if (isTrap(value)) return;
      this.longestWatchNs = Math.max(this.longestWatchNs, sched.now - start);
      yield* thread.nanosleep(WATCH_NS);
    }
  }

  /** A value or a signal in a word; one that a mapping of a device does not send is remembered. */
  #describe(seen: number | bigint | Trap): string {
    if (!isTrap(seen)) return "a value";
    if (seen.signal !== "SIGBUS") this.strangeTraps.push(seen.signal);
    return seen.signal;
  }
}
