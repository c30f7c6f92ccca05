import { VM_READ, VM_WRITE } from "../../src/contract/area-flags.ts";
import { EINVAL, ENOMEM } from "../../src/contract/errno.ts";

/** What several areas may show: by page, the first word. */
export interface ModelObject {
  readonly kind: "memory" | "pages" | "registers";
  readonly words: Map<number, number>;
  /** What a page shows that nobody has written. */
  initial(page: number): number;
  /** Pages that exist. */
  pages: number;
}

/** One page of one address space: where it comes from, and what its owner made of it. */
export interface ModelPage {
  protection: number;
  readonly sharing: "shared" | "private";
  /** Undefined for private anonymous memory. */
  readonly object: ModelObject | undefined;
  readonly index: number;
  /** The first word of the private copy, once there is one. */
  copy: number | undefined;
  /** The driver took the entry away and has no handler that could bring it back. */
  isZapped: boolean;
  /** Kept in memory by mlock; registers never are. */
  isLocked: boolean;
}

export type Seen = number | "SIGSEGV SEGV_MAPERR" | "SIGSEGV SEGV_ACCERR" | "SIGBUS BUS_ADRERR";

/** An address space as a plain map from page number to what must be there. */
export class MemoryModel {
  readonly pages = new Map<number, ModelPage>();

  fork(): MemoryModel {
    const child = new MemoryModel();
    for (const [at, page] of this.pages) child.pages.set(at, { ...page, isLocked: false });
    return child;
  }

  map(
    at: number,
    count: number,
    page: Pick<ModelPage, "protection" | "sharing" | "object">,
    first: number,
  ): void {
    for (let index = 0; index < count; index++) {
      const fresh = { copy: undefined, isZapped: false, isLocked: false };
      this.pages.set(at + index, { ...page, ...fresh, index: first + index });
    }
  }

  unmap(at: number, count: number): void {
    for (let index = 0; index < count; index++) this.pages.delete(at + index);
  }

  /** Changes the protection up to the first hole: 0 or -ENOMEM. */
  protect(at: number, count: number, protection: number): number {
    for (let index = 0; index < count; index++) {
      const page = this.pages.get(at + index);
      if (page === undefined) return -ENOMEM;
      page.protection = protection;
    }
    return 0;
  }

  /** Drops private copies, up to the first page of registers: 0, -ENOMEM for a hole, -EINVAL. */
  discard(at: number, count: number): number {
    let result = 0;
    for (let index = 0; index < count; index++) {
      const page = this.pages.get(at + index);
      if (page === undefined) result = -ENOMEM;
      else if (page.object?.kind === "registers" || page.isLocked) return -EINVAL;
      else page.copy = undefined;
    }
    return result;
  }

  /** Locks up to the first hole, and then brings in what is locked: 0 or -ENOMEM. */
  lock(at: number, count: number): number {
    for (let index = 0; index < count; index++) {
      const page = this.pages.get(at + index);
      if (page === undefined) return -ENOMEM;
      page.isLocked = page.object?.kind !== "registers";
    }
    for (let index = 0; index < count; index++) if (!this.bringIn(at + index)) return -ENOMEM;
    return 0;
  }

  /** Unlocks up to the first hole. */
  unlock(at: number, count: number): number {
    for (let index = 0; index < count; index++) {
      const page = this.pages.get(at + index);
      if (page === undefined) return -ENOMEM;
      page.isLocked = false;
    }
    return 0;
  }

  /** Faults a page in as mlock does, writing to private memory that may be written; false when it cannot be had. */
  bringIn(at: number): boolean {
    const page = this.pages.get(at);
    if (page === undefined || page.object?.kind === "registers") return true;
    const seen = this.load(at);
    if (typeof seen !== "number") return false;
    if (page.sharing === "private" && (page.protection & VM_WRITE) !== 0) page.copy = seen;
    return true;
  }

  move(from: number, to: number, count: number): void {
    const moved = Array.from({ length: count }, (_, index) => this.pages.get(from + index));
    this.unmap(from, count);
    this.unmap(to, count);
    moved.forEach((page, index) => {
      if (page !== undefined) this.pages.set(to + index, page);
    });
  }

  /** Takes away what shows pages `[first, first + count)` of an object. */
  revoke(object: ModelObject, first: number, count: number, reach: "even-cows" | "shared-only"): void {
    for (const page of this.pages.values()) {
      if (page.object !== object || page.index < first || page.index >= first + count) continue;
      if (page.copy !== undefined && reach === "shared-only") continue;
      page.copy = undefined;
      if (object.kind === "registers") page.isZapped = true;
    }
  }

  load(at: number): Seen {
    const page = this.pages.get(at);
    if (page === undefined) return "SIGSEGV SEGV_MAPERR";
    if ((page.protection & (VM_READ | VM_WRITE)) === 0) return "SIGSEGV SEGV_ACCERR";
    if (page.copy !== undefined) return page.copy;
    const { object } = page;
    if (object === undefined) return 0;
    if (page.isZapped || page.index >= object.pages) return "SIGBUS BUS_ADRERR";
    return object.words.get(page.index) ?? object.initial(page.index);
  }

  /** What the store ends in; undefined when it goes through. */
  store(at: number, value: number): Seen | undefined {
    const page = this.pages.get(at);
    if (page === undefined) return "SIGSEGV SEGV_MAPERR";
    if ((page.protection & VM_WRITE) === 0) return "SIGSEGV SEGV_ACCERR";
    if (page.copy === undefined) {
      const seen = this.load(at);
      if (typeof seen !== "number") return seen;
    }
    if (page.sharing === "private") page.copy = value;
    else page.object?.words.set(page.index, value);
    return undefined;
  }
}
