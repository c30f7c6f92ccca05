import {
  type FileOperations,
  type MappableArea,
  type Pfn,
  VM_READ,
  VM_WRITE,
  type VmOps,
} from "@nopage/core";
import { claimMarkedWindow } from "../../marked-window.ts";
import { succeed } from "../../program/expect.ts";
import type { Inside } from "../../program/kernel-call.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";

/** A window of device registers under a name of its own, with all of its hooks left to the law; model only. */
export interface PlantedDevice {
  readonly path: string;
  /** The frame of a page of the window, which begins with its mark. */
  frame(page: number): Pfn;
}

/** What the planted device does when it is opened, mapped and released. */
export type PlantedHooks = Pick<FileOperations, "open" | "release" | "mmap">;

/** Puts a device on the machine whose hooks a law watches, or has do what no subject can be told to do. */
export function plantDevice(
  path: string,
  pages: number,
  hooksOf: (inside: Inside, device: PlantedDevice) => PlantedHooks,
): Steps<PlantedDevice> {
  return user.kernel(function* (inside) {
    const { machine } = inside;
    const { range } = claimMarkedWindow(machine, pages);
    const device: PlantedDevice = { path, frame: (page) => (range.startPfn + page) as Pfn };
    const operations = { name: path, owner: undefined, ...hooksOf(inside, device) };
    if (typeof machine.devices.register(path, operations) === "number") {
      throw new Error(`${path} is already registered`);
    }
    return device;
  });
}

/** Opens a planted device: its descriptor. */
export function openPlanted({ path }: PlantedDevice): Steps<number> {
  return succeed(`open of ${path}`, user.open({ path, mode: "read-write", blocking: "blocking" }));
}

/** How a planted device is mapped. */
export interface PlantedMapping {
  /** The object's page that it begins with. */
  readonly first?: number;
  /** Where, with `MAP_FIXED`. */
  readonly fixedAt?: number;
  readonly descriptor?: number;
}

/** Maps `bytes` bytes of a planted device, shared and writable, through `descriptor` or one of its own: the address, or a negated errno. */
export function* mapPlanted(
  device: PlantedDevice,
  bytes: number,
  { first = 0, fixedAt, descriptor }: PlantedMapping = {},
): Steps<number> {
  const opened = descriptor ?? (yield* openPlanted(device));
  const address = yield* user.mmap({
    length: bytes,
    protection: VM_READ | VM_WRITE,
    sharing: "shared",
    pgoff: first,
    descriptor: opened,
    ...(fixedAt !== undefined && { address: fixedAt, placement: "fixed" }),
  });
  if (descriptor === undefined) yield* user.close(opened);
  return address;
}

/** Gives an area its operations, as an mmap hook does that makes no entries. */
export function setOps(area: MappableArea, ops: Omit<VmOps, "name">): number {
  area.ops = { name: "planted device", ...ops };
  return 0;
}

/** Entries of a range in the page table of an address space, whether or not an area covers it. */
export function entriesIn({ table, pageSize }: MappableArea["mm"], address: number, pages: number): number {
  let entries = 0;
  for (let page = 0; page < pages; page++) {
    if (table.entryOf(address / pageSize + page) !== 0) entries++;
  }
  return entries;
}
