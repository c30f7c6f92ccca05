import { RwSemaphore } from "../sched/rw-semaphore.ts";
import type { Scheduler } from "../sched/scheduler.ts";
import { IntervalTree } from "./interval-tree.ts";
import type { Vma } from "./vma.ts";

/**
 * What areas of all processes show of one object (`struct address_space`, its `i_mmap` half): the reverse map of
 * files and devices. An area stands in it by the object pages it shows, `[pgoff, pgoff + pages)`.
 */
export class AddressSpace {
  readonly name: string;
  /** Guards the tree (`i_mmap_rwsem`): written to link and unlink areas and while entries move, read to walk. */
  readonly lock: RwSemaphore;
  /** Guarded by `lock`; made for the first area, as many objects are never mapped. */
  #areas: IntervalTree<Vma> | undefined = undefined;

  constructor(sched: Scheduler, name: string) {
    this.name = name;
    this.lock = new RwSemaphore(sched, "i_mmap_rwsem");
  }

  /** Areas that show any of the object. */
  get size(): number {
    return this.#areas?.size ?? 0;
  }

  /**
   * Makes an area findable (`vma_interval_tree_insert`), under what it shows now if it already was; the lock is held for
   * writing.
   */
  link(area: Vma): void {
    this.#areas ??= new IntervalTree();
    this.#areas.remove(area);
    this.#areas.insert(area, area.pgoff, area.pgoff + area.pages - 1);
  }

  /** Makes an area unfindable (`vma_interval_tree_remove`), if it was not; the lock is held for writing. */
  unlink(area: Vma): void {
    this.#areas?.remove(area);
  }

  /**
   * The areas that show any of object pages `[first, first + pages)`, parents before the children forked from them;
   * the lock is held.
   */
  areasShowing(first: number, pages: number): readonly Vma[] {
    return this.#areas?.overlapping(first, first + pages - 1) ?? [];
  }
}
