import {
  type DeviceFollower,
  type DeviceMirror,
  DmaPort,
  EFAULT,
  EINVAL,
  isError,
  type Kernel,
  type Machine,
  type Mm,
  type OpenFile,
  type Sleepable,
  type UserAddress,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import { markOf } from "../mark.ts";
import { mustSucceed } from "../program/expect.ts";
import type { Steps } from "../program/operation.ts";
import { user } from "../program/user.ts";
import type { Subject } from "../subject/subject.ts";
import { type ControlCommand, controlOperations } from "./control.ts";
import { wordBitsOf } from "./word-bits.ts";

const DEVICE = "/dev/mirror";
const PAGES = 4;

const commandNames = ["choose-address", "follow", "choose-value", "device-read", "device-write"] as const;
type CommandName = (typeof commandNames)[number];

/** A device that reaches a process's memory by the process's own addresses, through a mirror. */
class MirroringDevice {
  readonly #kernel: Kernel;
  readonly #hooks: ReturnType<DeviceMirror["create"]>;
  readonly #dma: DmaPort;
  readonly #followers = new Map<Mm, DeviceFollower>();
  #address = 0;
  #value = 0;

  constructor(machine: Machine, kernel: Kernel, mirror: DeviceMirror) {
    this.#kernel = kernel;
    this.#hooks = mirror.create(kernel);
    this.#dma = new DmaPort(machine, "the mirroring device", 52);
  }

  commands(): Record<CommandName, ControlCommand> {
    return {
      "choose-address": (address) => {
        this.#address = address;
        return 0;
      },
      follow: (pages, file) => this.#follow(pages, file),
      "choose-value": (value) => {
        this.#value = value;
        return 0;
      },
      "device-read": (address) => this.#read(address as UserAddress),
      "device-write": (address) => this.#write(address as UserAddress),
    };
  }

  /** Stops following a process when the file through which it asked for that is released. */
  *release(file: OpenFile): Sleepable<void> {
    const mm = file.privateData as Mm | undefined;
    const follower = mm === undefined ? undefined : this.#followers.get(mm);
    if (mm === undefined || follower === undefined) return;
    this.#followers.delete(mm);
    yield* follower.detach();
  }

  *#follow(pages: number, file: OpenFile): Sleepable<number> {
    const mm = this.#kernel.user.currentMm();
    if (mm === undefined || this.#followers.has(mm)) return -EINVAL;
    const start = this.#address as UserAddress;
    const end = (start + pages * this.#kernel.geometry.pageSize) as UserAddress;
    const follower = yield* this.#hooks.follow({ mm, ranges: [{ start, end }], stop: () => {} });
    if (typeof follower === "number") return follower;
    this.#followers.set(mm, follower);
    file.privateData = mm;
    return 0;
  }

  *#read(address: UserAddress): Sleepable<number> {
    const word = new Uint8Array(4);
    const moved = yield* this.#move(address, word, "read");
    return moved < 0 ? moved : new DataView(word.buffer).getUint32(0, true);
  }

  *#write(address: UserAddress): Sleepable<number> {
    const word = new Uint8Array(4);
    new DataView(word.buffer).setUint32(0, this.#value, true);
    return yield* this.#move(address, word, "write");
  }

  /** Moves one word by a process address: 0; -EFAULT where the device meets a fault that nobody resolves. */
  *#move(address: UserAddress, word: Uint8Array, access: "read" | "write"): Sleepable<number> {
    const mm = this.#kernel.user.currentMm();
    const follower = mm === undefined ? undefined : this.#followers.get(mm);
    if (follower === undefined) return -EFAULT;
    for (;;) {
      const moved = yield* access === "read"
        ? this.#dma.readThrough(follower, address, word)
        : this.#dma.writeThrough(follower, address, word);
      if (moved === word.length) return 0;
      const made = yield* follower.populate(address, access);
      if (isError(made)) return made;
    }
  }
}

/**
 * A mirror as a subject: the object is a memory file of the process, and the accessor is a device that follows the mapping
 * of it. Each process may map it once. What the device follows is the range that was mapped, so that moved memory is out
 * of its reach.
 */
export function createMirrorSubject(machine: Machine, kernel: Kernel, mirror: DeviceMirror): Subject {
  const device = new MirroringDevice(machine, kernel, mirror);
  const commands = device.commands();
  const inode = machine.devices.register(DEVICE, {
    ...controlOperations(
      DEVICE,
      commandNames.map((name) => commands[name]),
    ),
    release: (file) => device.release(file),
  });
  if (typeof inode === "number") throw new Error(`${DEVICE} is already registered`);
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
    *map({ first = 0, pages = PAGES - first, protection, sharing = "shared", descriptor } = {}) {
      const file = descriptor ?? (yield* markedFile(pageSize));
      const address = yield* user.mmap({
        length: pages * pageSize,
        protection: protection ?? VM_READ | VM_WRITE,
        sharing,
        pgoff: first,
        descriptor: file,
      });
      if (descriptor === undefined) yield* user.close(file);
      if (isError(address)) return address;
      // It stays open until the process ends: with its release the device stops following.
      const opened = yield* openedDevice();
      yield* command(opened, "choose-address", address);
      const followed = yield* command(opened, "follow", pages);
      return isError(followed) ? followed : address;
    },
    *reach(address) {
      const opened = yield* openedDevice();
      const seen = yield* command(opened, "device-read", address);
      yield* user.close(opened);
      return isError(seen) ? undefined : seen;
    },
    *put(address, value) {
      const opened = yield* openedDevice();
      yield* command(opened, "choose-value", value);
      const written = yield* command(opened, "device-write", address);
      yield* user.close(opened);
      return !isError(written);
    },
  };
}

function* openedDevice(): Steps<number> {
  const descriptor = yield* user.open({ path: DEVICE, mode: "read-write", blocking: "blocking" });
  return mustSucceed(`open of ${DEVICE}`, descriptor);
}

function* command(descriptor: number, name: CommandName, argument: number): Steps<number> {
  return yield* user.ioctl(descriptor, commandNames.indexOf(name), argument);
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
