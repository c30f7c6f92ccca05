import type { Sleepable } from "../contract/execution.ts";
import type { Pfn } from "../contract/units.ts";
import type { Mm } from "../mm/mm.ts";
import { accessRemotely } from "../mm/remote-access.ts";
import { type MemoryStatus, memoryStatus, pagemap, type SmapsArea, smaps } from "../mm/smaps.ts";
import { Access, ObjectKind } from "../sched/points.ts";

/** What a process sees of another, or of itself, in /proc/PID. */
export class ProcFiles {
  readonly #mm: Mm;

  constructor(mm: Mm) {
    this.#mm = mm;
  }

  /** /proc/PID/smaps: every area, in order; none once the process is gone. */
  *smaps(): Sleepable<readonly SmapsArea[]> {
    const mm = this.#mm;
    mm.machine.sched.note(ObjectKind.cell, mm.usersCell, Access.read);
    return mm.users === 0 ? [] : yield* smaps(mm);
  }

  /** The memory lines of /proc/PID/status. */
  status(): MemoryStatus {
    return memoryStatus(this.#mm);
  }

  /** /proc/PID/pagemap as root sees it: the frame behind each page, where there is one. */
  *pagemap(address: number, pages: number): Sleepable<readonly (Pfn | undefined)[]> {
    return yield* pagemap(this.#mm, address, pages);
  }

  /** Reads /proc/PID/mem, as a debugger does: the bytes up to the first that cannot be reached. */
  *readMemory(address: number, bytes: number): Sleepable<Uint8Array> {
    const buffer = new Uint8Array(bytes);
    return buffer.subarray(0, yield* this.#access(address, buffer, "read"));
  }

  /** Writes /proc/PID/mem, read-only private memory included: the bytes written. */
  *writeMemory(address: number, bytes: Uint8Array): Sleepable<number> {
    return yield* this.#access(address, bytes, "write");
  }

  *#access(address: number, buffer: Uint8Array, direction: "read" | "write"): Sleepable<number> {
    const mm = this.#mm;
    if (!mm.tryUse()) return 0;
    const moved = yield* accessRemotely(mm, address, buffer, direction);
    yield* mm.machine.dropMm(mm);
    return moved;
  }
}
