import { type DeviceMirror, isError, type Kernel, type Machine, VM_READ, VM_WRITE } from "@nopage/core";
import { markOf } from "../mark.ts";
import { mustSucceed } from "../program/expect.ts";
import type { Steps } from "../program/operation.ts";
import { user } from "../program/user.ts";
import type { SubjectMirror } from "../subject/device-mirror.ts";
import { DEVICE_FAULT, type Reached, type Subject, type SubjectMapping } from "../subject/subject.ts";
import { ControlDevice } from "./control.ts";
import { MirroringDevice, mirrorCommands } from "./mirroring-device.ts";
import { wordBitsOf } from "./word-bits.ts";

const control = new ControlDevice<MirroringDevice, keyof typeof mirrorCommands>(
  "/dev/mirror",
  mirrorCommands,
  { release: (device, file) => device.release(file) },
);
const PAGES = 4;

/**
 * A mirror as a subject: the object is a memory file of the process, and the accessor is a device that follows the mapping
 * of it. Each process may map it once. What the device follows is the range that was mapped, so that moved memory is out
 * of its reach.
 */
export function createMirrorSubject(machine: Machine, kernel: Kernel, mirror: DeviceMirror): Subject {
  const device = new MirroringDevice(machine, kernel, mirror);
  control.register(machine, device);
  const { pageSize } = machine.geometry;
  return {
    name: mirror.name,
    accessor: "device",
    supports: {
      populate: "lazy",
      whileRevoked: "nothing",
      mremapGrow: true,
      countsPages: true,
      privateWritable: true,
    },
    wordBits: wordBitsOf(machine),
    pageSize,
    pages: PAGES,
    holes: [],
    markOf,
    open: () => markedFile(pageSize),
    map: (wanted = {}) => mapMirrored(pageSize, wanted),
    reach,
    put,
    mirror: mirrorOf(mirror, device),
  };
}

function* mapMirrored(
  pageSize: number,
  { first = 0, pages = PAGES - first, protection, sharing = "shared", ...where }: SubjectMapping,
): Steps<number> {
  const { descriptor, fixedAt } = where;
  const file = descriptor ?? (yield* markedFile(pageSize));
  const address = yield* user.mmap({
    ...(fixedAt === undefined ? {} : { address: fixedAt, placement: "fixed" }),
    length: pages * pageSize,
    protection: protection ?? VM_READ | VM_WRITE,
    sharing,
    pgoff: first,
    descriptor: file,
  });
  if (descriptor === undefined) yield* user.close(file);
  if (isError(address)) return address;
  // It stays open until the process ends: with its release the device stops following.
  const opened = yield* control.open();
  yield* control.command(opened, "choose-address", address);
  const followed = yield* control.command(opened, "follow", pages);
  return isError(followed) ? followed : address;
}

function* reach(address: number): Steps<Reached<number>> {
  const seen = yield* control.once("device-read", address);
  return isError(seen) ? DEVICE_FAULT : seen;
}

function* put(address: number, value: number): Steps<Reached<true>> {
  const opened = yield* control.open();
  yield* control.command(opened, "choose-value", value);
  const written = yield* control.command(opened, "device-write", address);
  yield* user.close(opened);
  return isError(written) ? DEVICE_FAULT : true;
}

function mirrorOf({ supports }: DeviceMirror, device: MirroringDevice): SubjectMirror {
  return {
    forms: supports.forms,
    holdsOff: supports.holdsOff,
    *reaches(address, access) {
      const reached = yield* control.once(
        access === "read" ? "reaches-for-read" : "reaches-for-write",
        address,
      );
      return reached === 1;
    },
    populate: (address, access) =>
      control.once(access === "read" ? "populate-for-read" : "populate-for-write", address),
    populateNow: (address, access) =>
      control.once(access === "read" ? "populate-now-for-read" : "populate-now-for-write", address),
    *unfollow() {
      mustSucceed("unfollow", yield* control.once("unfollow"));
    },
    *letGo() {
      return device.letGo;
    },
  };
}

/** A memory file of which each page begins with its mark: its descriptor. */
function* markedFile(pageSize: number): Steps<number> {
  const file = yield* user.memfd("mirrored");
  if (isError(file)) return file;
  yield* user.ftruncate(file, PAGES * pageSize);
  const address = yield* user.mmap({
    length: PAGES * pageSize,
    protection: VM_READ | VM_WRITE,
    sharing: "shared",
    descriptor: file,
  });
  mustSucceed("mmap of a memory file", address);
  for (let page = 0; page < PAGES; page++) yield* user.store(address + page * pageSize, markOf(page));
  yield* user.munmap(address, PAGES * pageSize);
  return file;
}
