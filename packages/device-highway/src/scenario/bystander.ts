import type { UserThread } from "@nopage/core";
import { isTrap, type Sleepable, type VirtualNs, VM_READ, VM_WRITE } from "@nopage/core/contract";

const PAGES = 24;
const PAUSE_NS = 3000;

/**
 * A process that has nothing to do with the device: it takes a page of memory now and then, whichever frames have just come
 * free, and looks in the end whether what it wrote is still there.
 */
export class Bystander {
  damagedPages = 0;
  readonly #start: VirtualNs;

  /** Left out, it starts at once. */
  constructor(start: VirtualNs = 0) {
    this.#start = start;
  }

  *run(thread: UserThread): Sleepable<void> {
    const { pageSize } = thread.machine.geometry;
    const length = PAGES * pageSize;
    const memory = yield* thread.mmap({ length, protection: VM_READ | VM_WRITE, sharing: "private" });
    if (this.#start > 0) yield* thread.nanosleep(this.#start);
    for (let page = 0; page < PAGES; page++) {
      yield* thread.storeBlock(memory + page * pageSize, this.#pattern(page, pageSize));
      yield* thread.nanosleep(PAUSE_NS);
    }
    for (let page = 0; page < PAGES; page++) {
      const found = yield* thread.loadBlock(memory + page * pageSize, pageSize);
      if (isTrap(found) || Buffer.compare(found, this.#pattern(page, pageSize)) !== 0) this.damagedPages++;
    }
  }

  #pattern(page: number, pageSize: number): Uint8Array {
    return new Uint8Array(pageSize).fill(0xb0 + page);
  }
}
