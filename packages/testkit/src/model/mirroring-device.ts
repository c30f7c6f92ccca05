import {
  type DeviceAccess,
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
} from "@nopage/core";
import type { LetGo } from "../subject/device-mirror.ts";
import type { ControlCommand } from "./control.ts";

/** One process that is followed. */
interface Following {
  readonly follower: DeviceFollower;
  readonly start: number;
  readonly pages: number;
  stops: number;
  reachedAtStop: number;
}

/** A device that reaches a process's memory by the process's own addresses, through a mirror. */
export class MirroringDevice {
  /** How the last followed process that died was let go of. */
  letGo: LetGo | undefined = undefined;
  readonly #kernel: Kernel;
  readonly #hooks: ReturnType<DeviceMirror["create"]>;
  readonly #dma: DmaPort;
  readonly #followed = new Map<Mm, Following>();
  /** Processes that are about to be followed. */
  readonly #coming = new Set<Mm>();
  /** What was chosen through each open file for its next command: an address, or a value. */
  readonly #chosen = new Map<OpenFile, number>();

  constructor(machine: Machine, kernel: Kernel, mirror: DeviceMirror) {
    this.#kernel = kernel;
    this.#hooks = mirror.create(kernel);
    this.#dma = new DmaPort(machine, "the mirroring device", 52);
  }

  /** Stops following a process when the file through which it asked for that is released, which may be after its death. */
  *release(file: OpenFile): Sleepable<void> {
    this.#chosen.delete(file);
    const mm = file.privateData as Mm | undefined;
    const following = mm === undefined ? undefined : this.#followed.get(mm);
    if (mm === undefined || following === undefined) return;
    if (!this.#kernel.user.isAlive(mm)) this.letGo = yield* this.#lookAtTheDead(mm, following);
    this.#followed.delete(mm);
    yield* following.follower.detach();
  }

  choose(what: number, file: OpenFile): number {
    this.#chosen.set(file, what);
    return 0;
  }

  *follow(pages: number, file: OpenFile): Sleepable<number> {
    const mm = this.#kernel.user.currentMm();
    if (mm === undefined || this.#followed.has(mm) || this.#coming.has(mm)) return -EINVAL;
    this.#coming.add(mm);
    const result = yield* this.#startFollowing(mm, this.#chosen.get(file) ?? 0, pages);
    this.#coming.delete(mm);
    if (result === 0) file.privateData = mm;
    return result;
  }

  *#startFollowing(mm: Mm, start: number, pages: number): Sleepable<number> {
    const stop = () => {
      const following = this.#followed.get(mm);
      if (following === undefined) return;
      following.stops++;
      following.reachedAtStop += reachedOf(following, this.#kernel.geometry.pageSize);
    };
    const end = (start + pages * this.#kernel.geometry.pageSize) as UserAddress;
    const ranges = [{ start: start as UserAddress, end }];
    const follower = yield* this.#hooks.follow({ mm, ranges, stop });
    if (typeof follower === "number") return follower;
    this.#followed.set(mm, { follower, start, pages, stops: 0, reachedAtStop: 0 });
    return 0;
  }

  *unfollow(): Sleepable<number> {
    const mm = this.#kernel.user.currentMm();
    const following = mm === undefined ? undefined : this.#followed.get(mm);
    if (mm === undefined || following === undefined) return -EINVAL;
    this.#followed.delete(mm);
    yield* following.follower.detach();
    return 0;
  }

  /** The process is gone and the follower is still there: what it has, and what it lets the driver do. */
  *#lookAtTheDead(mm: Mm, following: Following): Sleepable<LetGo> {
    const { follower, stops, reachedAtStop } = following;
    const at = following.start as UserAddress;
    const reachedBefore = reachedOf(following, this.#kernel.geometry.pageSize);
    const populateNow = yield* follower.populateAtomic(at, "read");
    const populate = yield* follower.populate(at, "read");
    const reachedLater = reachedBefore + reachedOf(following, this.#kernel.geometry.pageSize);
    const end = (at + this.#kernel.geometry.pageSize) as UserAddress;
    const again = yield* this.#hooks.follow({ mm, ranges: [{ start: at, end }], stop: () => {} });
    if (typeof again !== "number") yield* again.detach();
    const followAgain = typeof again === "number" ? again : 0;
    return { stops, reachedAtStop, reachedLater, populate, populateNow, followAgain };
  }

  *read(address: UserAddress): Sleepable<number> {
    const word = new Uint8Array(4);
    const moved = yield* this.#move(address, word, "read");
    return moved < 0 ? moved : new DataView(word.buffer).getUint32(0, true);
  }

  /** Stores what was chosen through the file. */
  *write(address: UserAddress, file: OpenFile): Sleepable<number> {
    const value = this.#chosen.get(file) ?? 0;
    const word = new Uint8Array(4);
    new DataView(word.buffer).setUint32(0, value, true);
    return yield* this.#move(address, word, "write");
  }

  /** Moves one word by a process address: 0; -EFAULT where the device meets a fault that nobody resolves. */
  *#move(address: UserAddress, word: Uint8Array, access: DeviceAccess): Sleepable<number> {
    const follower = this.#follower();
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

  /** Whether the device itself finds a translation: it moves a byte, which a store leaves as it is. */
  *reaches(address: UserAddress, access: DeviceAccess): Sleepable<number> {
    const follower = this.#follower();
    if (follower === undefined) return 0;
    const byte = new Uint8Array(1);
    const seen = yield* this.#dma.readThrough(follower, address, byte);
    if (access === "read" || seen === 0) return seen;
    return yield* this.#dma.writeThrough(follower, address, byte);
  }

  *populate(address: UserAddress, access: DeviceAccess): Sleepable<number> {
    const follower = this.#follower();
    return follower === undefined ? -EFAULT : yield* follower.populate(address, access);
  }

  *populateNow(address: UserAddress, access: DeviceAccess): Sleepable<number> {
    const follower = this.#follower();
    return follower === undefined ? -EFAULT : yield* follower.populateAtomic(address, access);
  }

  /** Of the calling process, or of the last of those that are followed still. */
  #follower(): DeviceFollower | undefined {
    const mm = this.#kernel.user.currentMm();
    const own = mm === undefined ? undefined : this.#followed.get(mm);
    const following = own ?? [...this.#followed.values()].at(-1);
    return following?.follower;
  }
}

/** Pages of a followed range that the device has a translation for. */
function reachedOf({ follower, start, pages }: Following, pageSize: number): number {
  let reached = 0;
  for (let page = 0; page < pages; page++) {
    if (follower.translate((start + page * pageSize) as UserAddress, "read") !== undefined) reached++;
  }
  return reached;
}

/** The commands, in the order of their numbers. */
export const mirrorCommands = {
  "choose-address": (device, address, file) => device.choose(address, file),
  follow: (device, pages, file) => device.follow(pages, file),
  unfollow: (device) => device.unfollow(),
  "choose-value": (device, value, file) => device.choose(value, file),
  "device-read": (device, address) => device.read(address as UserAddress),
  "device-write": (device, address, file) => device.write(address as UserAddress, file),
  "reaches-for-read": (device, address) => device.reaches(address as UserAddress, "read"),
  "reaches-for-write": (device, address) => device.reaches(address as UserAddress, "write"),
  "populate-for-read": (device, address) => device.populate(address as UserAddress, "read"),
  "populate-for-write": (device, address) => device.populate(address as UserAddress, "write"),
  "populate-now-for-read": (device, address) => device.populateNow(address as UserAddress, "read"),
  "populate-now-for-write": (device, address) => device.populateNow(address as UserAddress, "write"),
} satisfies Record<string, ControlCommand<MirroringDevice>>;
