import type { UserThread } from "@nopage/core";
import { errnoName, isTrap, type Sleepable, VM_READ, VM_WRITE } from "@nopage/core/contract";
import type { Recording } from "../card/measurement-interface.ts";
import { REGION_BYTES } from "../card/measurement-registers.ts";
import { encodeRequest, HIGHWAY_ACQUIRE, HIGHWAY_REWIND, REQUEST_BYTES } from "../driver/ioctl.ts";
import type { AcquireSettings } from "./acquire-options.ts";
import { RegionWatcher } from "./region-watcher.ts";
import { TouchRecord } from "./touch-record.ts";

const WORD = 4;

/** A call that must not fail did: what was tried, and what it came to. */
class StepFailed extends Error {
  override readonly name = "StepFailed";
}

/** What the program is to acquire, and what it can know about it. */
export interface AcquireTask {
  readonly path: string;
  /** What each interface in use plays. */
  readonly recordings: readonly Recording[];
  /** Interfaces that the card has. */
  readonly interfaces: number;
  readonly settings: AcquireSettings;
}

/**
 * The user program of the main job. One thread opens the device, maps the measurement region and a private buffer, and
 * acquires block after block into it, from each interface in turn; other threads watch the region all the while.
 *
 * Threads talk through memory of their own: the buffer's mapping begins with a word that tells the watchers to stop,
 * then a word for each of them in which it says that it has.
 */
export class AcquireProgram {
  readonly #task: AcquireTask;
  /** Blocks acquired, by interface. */
  readonly #blocks: readonly Uint8Array[][];
  readonly #records: readonly TouchRecord[];
  /** The first thing that went wrong; undefined when nothing did. */
  failure: string | undefined = undefined;

  constructor(task: AcquireTask) {
    this.#task = task;
    this.#blocks = task.recordings.map(() => []);
    this.#records = Array.from({ length: task.settings.pollers }, () => new TouchRecord());
  }

  /** What was acquired from each interface. */
  get streams(): readonly Uint8Array[] {
    return this.#blocks.map(join);
  }

  /** What the watching threads met, in sum. */
  get touches(): TouchRecord {
    return TouchRecord.sum(this.#records);
  }

  /** The program of the process's first thread. */
  *run(thread: UserThread): Sleepable<void> {
    yield* this.#noting(() => this.#measure(thread));
  }

  /** Runs a part of the program, and keeps the first reason why one did not come to its end. */
  *#noting(part: () => Sleepable<void>): Sleepable<void> {
    try {
      yield* part();
    } catch (failure) {
      if (!(failure instanceof StepFailed)) throw failure;
      this.failure ??= failure.message;
    }
  }

  *#measure(thread: UserThread): Sleepable<void> {
    const { path, recordings, settings } = this.#task;
    const file = must("open", yield* thread.open({ path, mode: "read-write", blocking: "blocking" }));
    const region = must(
      "mmap of the region",
      yield* thread.mmap({
        length: REGION_BYTES,
        protection: VM_READ | VM_WRITE,
        sharing: "shared",
        descriptor: file,
      }),
    );
    const head = WORD * (1 + settings.pollers) + REQUEST_BYTES;
    const length = head + settings.bufferOffset + settings.blockBytes;
    const memory = must(
      "mmap of the buffer",
      yield* thread.mmap({ length, protection: VM_READ | VM_WRITE, sharing: "private" }),
    );
    // From the start, and so that a mirror of the region shows what was connected just now.
    for (const index of recordings.keys()) {
      must("rewind", yield* thread.ioctl(file, HIGHWAY_REWIND, index));
    }
    for (let index = 0; index < settings.pollers; index++) {
      const poll = (poller: UserThread) => this.#poll(poller, index, region, memory);
      const watcher = thread.spawn(poll, `watcher ${index}`);
      if (typeof watcher !== "number") continue;
      this.failure ??= `clone of a watcher: -${errnoName(watcher)}`;
      mustStore(yield* thread.store(memory + WORD * (1 + index), 1));
    }
    const request = memory + WORD * (1 + settings.pollers);
    // Whatever happens, the watchers must be let go: they would keep the process alive for ever.
    yield* this.#noting(() => this.#acquireAll(thread, file, request, memory + length));
    mustStore(yield* thread.store(memory, 1));
    for (let index = 0; index < settings.pollers; index++) {
      while ((yield* thread.load(memory + WORD * (1 + index))) === 0)
        yield* thread.nanosleep(settings.pollNs);
    }
    must("munmap of the region", yield* thread.munmap(region, REGION_BYTES));
    must("munmap of the buffer", yield* thread.munmap(memory, length));
    must("close", yield* thread.close(file));
  }

  /** Takes a block from each interface in turn, until all are at their end. */
  *#acquireAll(thread: UserThread, file: number, request: number, end: number): Sleepable<void> {
    const { recordings, settings } = this.#task;
    const buffer = end - settings.blockBytes;
    const open = new Set(recordings.keys());
    while (open.size > 0) {
      for (const index of open) {
        const bytes = settings.blockBytes;
        mustStore(yield* thread.storeBlock(request, encodeRequest({ buffer, bytes, interface: index })));
        const got = must("ioctl", yield* thread.ioctl(file, HIGHWAY_ACQUIRE, request));
        if (got < bytes) open.delete(index);
        if (got === 0) continue;
        const block = yield* thread.loadBlock(buffer, got);
        if (isTrap(block)) throw new StepFailed(`a load of the buffer: ${block.signal}`);
        this.#blocks[index].push(block);
        if (settings.workNs > 0) yield* thread.nanosleep(settings.workNs);
      }
    }
  }

  /** The program of a watching thread. */
  *#poll(thread: UserThread, index: number, region: number, memory: number): Sleepable<void> {
    const { recordings, interfaces, settings } = this.#task;
    const watcher = new RegionWatcher(thread, region, interfaces, recordings, this.#records[index]);
    for (let turn = index; (yield* thread.load(memory)) === 0; turn++) {
      yield* watcher.look(turn);
      yield* thread.nanosleep(settings.pollNs);
    }
    yield* thread.store(memory + WORD * (1 + index), 1);
  }
}

function must(what: string, result: number): number {
  if (result < 0) throw new StepFailed(`${what}: -${errnoName(result)}`);
  return result;
}

function mustStore(trap: unknown): void {
  if (isTrap(trap)) throw new StepFailed(`a store to the buffer: ${trap.signal}`);
}

function join(blocks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(blocks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const block of blocks) {
    whole.set(block, at);
    at += block.length;
  }
  return whole;
}
