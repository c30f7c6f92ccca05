import type { InvalidateRange, Mm, MmuNotifier, Sleepable, WaitQueue } from "@nopage/core";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";

/** A range that a follower was told of. */
export interface Told {
  readonly event: InvalidateRange["event"];
  readonly start: number;
  readonly end: number;
}

/**
 * A follower of a law's own, beside whatever is tried: it writes down what it is told, and can be made to hold an invalidation
 * up, so that the law can look around in the middle of one. For model-only cases.
 */
export class Recorder implements MmuNotifier {
  readonly name = "recorder";
  readonly begun: Told[] = [];
  readonly ended: Told[] = [];
  /** Ends without a begin. */
  unpaired = 0;
  releases = 0;
  /** Entries that the process had when it let go of it. */
  entriesAtRelease = 0;
  /** What each begin found: called before anything of the range is taken away. */
  onBegin: (range: InvalidateRange) => void = () => {};
  onEnd: (range: InvalidateRange) => void = () => {};
  readonly #rest: WaitQueue;
  #holding: "all" | "next" | "none" = "none";
  #held = 0;

  constructor(rest: WaitQueue) {
    this.#rest = rest;
  }

  /** Invalidations that are held up at present. */
  get held(): number {
    return this.#held;
  }

  *invalidateRangeBegin(range: InvalidateRange): Sleepable<number> {
    this.onBegin(range);
    this.begun.push(toldOf(range));
    if (this.#holding === "none" || (this.#holding === "next" && this.#held > 0)) return 0;
    this.#held++;
    yield* this.#rest.waitUntil(() => this.#holding === "none", "uninterruptible");
    this.#held--;
    return 0;
  }

  *invalidateRangeEnd(range: InvalidateRange): Sleepable<void> {
    this.onEnd(range);
    if (this.ended.length === this.begun.length) this.unpaired++;
    this.ended.push(toldOf(range));
  }

  *release(mm: Mm): Sleepable<void> {
    this.releases++;
    this.entriesAtRelease = entriesOf(mm);
  }

  /** From now on every invalidation is held up after its begin, or the next one alone. */
  hold(which: "all" | "next" = "all"): void {
    this.#holding = which;
  }

  /** Lets the invalidations go on. */
  letGo(): Steps<void> {
    const recorder = this;
    return user.kernel(function* () {
      recorder.#holding = "none";
      yield* recorder.#rest.wakeAll();
    });
  }

  /** Waits until an invalidation is held up. */
  *whenHeld(): Steps<void> {
    while (this.#held === 0) yield* user.sleep(10);
  }

  /** Stops following the calling process. */
  leave(): Steps<void> {
    return user.kernel(({ kernel, thread }) => kernel.mappings.unregisterNotifier(thread.mm, this));
  }

  /** The kinds of events that it was told of since it was last asked, each once. */
  takeEvents(): readonly string[] {
    return [...new Set(this.begun.splice(0).map(({ event }) => event))];
  }
}

function toldOf({ event, start, end }: InvalidateRange): Told {
  return { event, start, end };
}

/** Entries of all areas of an address space. */
export function entriesOf(mm: Mm): number {
  let entries = 0;
  for (const { start, end } of mm.areas.all()) {
    for (let at: number = start; at < end; at += mm.pageSize) {
      if (mm.table.entryOf(at / mm.pageSize) !== 0) entries++;
    }
  }
  return entries;
}

/** A recorder that follows the calling process; what is tried was there before it, and is told before it. */
export function* record(): Steps<Recorder> {
  return yield* user.kernel(function* ({ kernel, thread }) {
    const recorder = new Recorder(kernel.sync.waitQueue("the law to look around"));
    const registered = yield* kernel.mappings.registerNotifier(thread.mm, recorder);
    if (registered !== 0) throw new Error(`a recorder cannot follow: ${registered}`);
    return recorder;
  });
}
