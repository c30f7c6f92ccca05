import type { Area } from "../contract/area.ts";
import { VM_IO, VM_PFNMAP } from "../contract/area-flags.ts";
import { EFAULT, EINVAL } from "../contract/errno.ts";
import type { Atomic, Sleepable } from "../contract/execution.ts";
import type { Page, Pfn } from "../contract/units.ts";
import type { Machine } from "../machine.ts";
import type { Frames } from "../memory/frames.ts";
import { PTE_WRITE, type Pte, ptePfn } from "../mmu/pte.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import { MmioWindow } from "../user/mmio-window.ts";
import { callHook, reportBreach, THREW } from "./call-hook.ts";
import { entryPoint } from "./entry-points.ts";
import type { Mm } from "./mm.ts";
import { getUserPages, type PageRequest, releaseUserPage } from "./pin.ts";
import type { Vma } from "./vma.ts";

/** Which way bytes go between a caller's buffer and somebody else's memory. */
export type Direction = "read" | "write";

/**
 * `process_vm_readv(2)` and `process_vm_writev(2)`: moves bytes through pins, by the permissions that the areas have at
 * present. Bare pfn areas cannot be reached (PF-07).
 *
 * @returns the bytes moved, which end at a page boundary when a later page failed; -EFAULT when the first did
 */
export function* accessByPins(
  mm: Mm,
  address: number,
  buffer: Uint8Array,
  direction: Direction,
): Sleepable<number> {
  const request: PageRequest = { access: direction, hold: "pin", permission: "checked" };
  let done = 0;
  while (done < buffer.length) {
    const moved = yield* movePage(mm, address + done, buffer.subarray(done), direction, request);
    if (moved < 0) return done > 0 ? done : moved;
    done += moved;
  }
  return done;
}

/**
 * What a debugger does (`ptrace(2)`, /proc/PID/mem; `__access_remote_vm`): permissions of the areas do not hold it up, and
 * where there is no page to hold, the driver's `access` hook is asked (PF-08).
 *
 * @returns the bytes moved, 0 when not even the first could be
 */
export function* accessRemotely(
  mm: Mm,
  address: number,
  buffer: Uint8Array,
  direction: Direction,
): Sleepable<number> {
  const request: PageRequest = { access: direction, hold: "reference", permission: "forced" };
  let done = 0;
  while (done < buffer.length) {
    const rest = buffer.subarray(done);
    let moved = yield* movePage(mm, address + done, rest, direction, request);
    if (moved < 0) moved = yield* askDriver(mm, address + done, rest, direction);
    if (moved <= 0) break;
    done += moved;
  }
  return done;
}

/** Moves bytes of one page, held while they are: how many, or a negated errno. */
function* movePage(
  mm: Mm,
  address: number,
  buffer: Uint8Array,
  direction: Direction,
  request: PageRequest,
): Sleepable<number> {
  const held = yield* getUserPages(mm, address, 1, request);
  if (typeof held === "number") return held;
  const page = held[0] as Page;
  const offset = address % mm.pageSize;
  const bytes = buffer.subarray(0, mm.pageSize - offset);
  const { sched, memory } = mm.machine;
  if (sched.interleaving) {
    yield sched.at(ObjectKind.frameContents, page, direction === "read" ? Access.read : Access.write);
  }
  moveRam(memory.frames, page, offset, bytes, direction);
  yield* releaseUserPage(mm, page, request.hold, direction === "write" ? "dirty" : "clean");
  return bytes.length;
}

/** Asks the area's driver to move the bytes: how many it moved, or a negated errno. */
function* askDriver(mm: Mm, address: number, buffer: Uint8Array, direction: Direction): Sleepable<number> {
  yield* mm.lock.read();
  const area = mm.areas.find(address);
  const { access } = area?.ops ?? {};
  let moved = -EFAULT;
  if (area?.ops !== undefined && access !== undefined) {
    const name = { plugin: area.ops.name, hook: "access" };
    const bytes = buffer.subarray(0, area.end - address);
    const answer = yield* callHook(mm.machine, name, () =>
      access.call(area.ops, area, address as Area["start"], bytes, direction),
    );
    if (answer !== THREW) moved = answer;
    if (!Number.isInteger(moved) || moved > bytes.length) {
      reportBreach(mm.machine, name, `answered ${String(moved)} for ${bytes.length} bytes`, undefined);
      moved = -EFAULT;
    }
  }
  mm.lock.unlockRead();
  return moved;
}

/**
 * An `access` hook for areas of bare pfns (`generic_access_phys`): moves bytes of one page with its entry looked up, and
 * kept, under the page-table lock, so that what is moved is what the area shows.
 *
 * @returns the bytes moved; -EINVAL for another kind of area, where nothing is mapped, and for a write to what is read-only
 */
export function* accessPhys(
  area: Vma,
  address: number,
  buffer: Uint8Array,
  direction: Direction,
): Sleepable<number> {
  const { mm } = area;
  if ((area.flags & (VM_IO | VM_PFNMAP)) === 0) return -EINVAL;
  yield* mm.pageTableLock.lock();
  const { sched } = mm.machine;
  const vpn = Math.floor(address * mm.perPage);
  if (sched.interleaving) yield entryPoint(mm, vpn, Access.read);
  const entry = mm.table.entryOf(vpn);
  const isRefused = entry === 0 || (direction === "write" && (entry & PTE_WRITE) === 0);
  const moved = isRefused
    ? -EINVAL
    : yield* movePhysical(mm.machine, entry, address % mm.pageSize, buffer, direction);
  mm.pageTableLock.unlock();
  return moved;
}

function* movePhysical(
  machine: Machine,
  entry: Pte,
  offset: number,
  buffer: Uint8Array,
  direction: Direction,
): Atomic<number> {
  const { geometry, memory, sched } = machine;
  const pfn = ptePfn(entry);
  const bytes = buffer.subarray(0, geometry.pageSize - offset);
  if (!memory.frames.isRam(pfn)) {
    const window = memory.io.find(pfn);
    if (sched.interleaving && window !== undefined) {
      yield sched.at(ObjectKind.register, window.registerFile, Access.write);
    }
    new MmioWindow(machine).moveBlock(entry, offset, bytes, direction);
    return bytes.length;
  }
  if (sched.interleaving) {
    yield sched.at(ObjectKind.frameContents, pfn, direction === "read" ? Access.read : Access.write);
  }
  moveRam(memory.frames, pfn, offset, bytes, direction);
  return bytes.length;
}

function moveRam(frames: Frames, pfn: Pfn, offset: number, bytes: Uint8Array, direction: Direction): void {
  const at = pfn * frames.pageSize + offset;
  if (direction === "read") {
    bytes.set(frames.bytes.subarray(at, at + bytes.length));
  } else {
    frames.bytes.set(bytes, at);
    frames.markWritten(pfn, offset, bytes.length);
  }
}
