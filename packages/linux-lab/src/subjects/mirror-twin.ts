import { VM_READ, VM_WRITE } from "@nopage/core";
import { markOf, mustSucceed, type Steps, type Subject, user } from "@nopage/testkit/executor";
import { defineSubject, PAGE_BYTES, type SubjectDefinition } from "../subject/lab-subject.ts";
import { buildDrivers } from "./build-drivers.ts";
import { asWord, highway, isErrno } from "./highway-commands.ts";
import { TwinControl, twinModules } from "./twin-node.ts";

const PAGES = 4;

type Mirror = NonNullable<Subject["mirror"]>;
/** What the device's own access ends in where nothing resolves its fault: `DEVICE_FAULT` of the kit. */
const DEVICE_FAULT = "a device fault";

/**
 * A device that follows a process, in C: the object is a memory file of the process, and the accessor is the device, which
 * follows the mapping of it. Each process may map it once.
 */
export function defineMirrorTwin(
  name: string,
  forms: Mirror["forms"],
  holdsOff: Mirror["holdsOff"],
): SubjectDefinition {
  const control = new TwinControl(name, "notifier-mirror");
  return defineSubject({
    name,
    trial: "mirroring",
    pages: PAGES,
    supports: {
      populate: "lazy",
      whileRevoked: "nothing",
      mremapGrow: true,
      countsPages: true,
      privateWritable: true,
    },
    builds: "drivers",
    modules: (kernel) => twinModules(buildDrivers(kernel)),
    kernelWords: ["nopat"],
    *setUp() {
      yield* control.load();
      return {
        accessor: "device",
        open: () => markedFile(),
        map: (mapping = {}) => mapAndFollow(control, mapping),
        *reach(address) {
          const seen = yield* control.once(highway.mirrorRead, address);
          return isErrno(seen) ? DEVICE_FAULT : asWord(seen);
        },
        *put(address, value) {
          const descriptor = yield* control.open();
          yield* user.ioctl(descriptor, highway.chooseValue, value);
          const written = yield* user.ioctl(descriptor, highway.mirrorWrite, address);
          yield* user.close(descriptor);
          return written < 0 ? DEVICE_FAULT : true;
        },
        mirror: mirrorOf(control, forms, holdsOff),
      };
    },
  });
}

function mirrorOf(control: TwinControl, forms: Mirror["forms"], holdsOff: Mirror["holdsOff"]): Mirror {
  return {
    forms,
    holdsOff,
    *reaches(address, access) {
      const command = access === "read" ? highway.mirrorReachesRead : highway.mirrorReachesWrite;
      return (yield* control.once(command, address)) === 1;
    },
    populate: (address, access) =>
      control.once(access === "read" ? highway.mirrorPopulateRead : highway.mirrorPopulateWrite, address),
    populateNow: (address, access) =>
      control.once(access === "read" ? highway.mirrorNowRead : highway.mirrorNowWrite, address),
    *unfollow() {
      mustSucceed("unfollow", yield* control.once(highway.mirrorUnfollow));
    },
    letGo: () => letGoOf(control),
  };
}

/** In the order of `enum highway_let_go`, after the first, which says whether any process has died. */
const letGoFields = [
  "stops",
  "reachedAtStop",
  "reachedLater",
  "populate",
  "populateNow",
  "followAgain",
] as const;

function* letGoOf(control: TwinControl): ReturnType<Mirror["letGo"]> {
  if ((yield* control.once(highway.mirrorLetGo, 0)) === 0) return undefined;
  const letGo = { stops: 0, reachedAtStop: 0, reachedLater: 0, populate: 0, populateNow: 0, followAgain: 0 };
  for (const [index, field] of letGoFields.entries()) {
    letGo[field] = yield* control.once(highway.mirrorLetGo, index + 1);
  }
  return letGo;
}

/** Maps a memory file and has the device follow: the address, or a negated errno. */
function* mapAndFollow(
  control: TwinControl,
  {
    first = 0,
    pages = PAGES - first,
    protection = VM_READ | VM_WRITE,
    sharing = "shared",
    descriptor,
    fixedAt,
  }: NonNullable<Parameters<Subject["map"]>[0]>,
): Steps<number> {
  const file = descriptor ?? (yield* markedFile());
  const length = pages * PAGE_BYTES;
  const address = yield* user.mmap({
    ...(fixedAt !== undefined && { address: fixedAt, placement: "fixed" }),
    length,
    protection,
    sharing,
    pgoff: first,
    descriptor: file,
  });
  if (descriptor === undefined) yield* user.close(file);
  if (address < 0) return address;
  // It stays open until the process ends: with its release the device stops following.
  const opened = yield* control.open();
  yield* user.ioctl(opened, highway.chooseAddress, address);
  const followed = yield* user.ioctl(opened, highway.mirrorFollow, pages);
  return followed < 0 ? followed : address;
}

/** A memory file of which each page begins with its mark: its descriptor. */
function* markedFile(): Steps<number> {
  const file = yield* user.memfd("mirrored");
  if (file < 0) return file;
  yield* user.ftruncate(file, PAGES * PAGE_BYTES);
  const request = { length: PAGES * PAGE_BYTES, protection: VM_READ | VM_WRITE, sharing: "shared" } as const;
  const address = mustSucceed("mmap of a memory file", yield* user.mmap({ ...request, descriptor: file }));
  for (let page = 0; page < PAGES; page++) yield* user.store(address + page * PAGE_BYTES, markOf(page));
  yield* user.munmap(address, request.length);
  return file;
}
