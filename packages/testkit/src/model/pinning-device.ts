import {
  type BusAddress,
  DmaPort,
  EFAULT,
  EINVAL,
  EIO,
  isError,
  type Kernel,
  type Machine,
  type OpenFile,
  type PinAccess,
  type Pinned,
  type PinningPolicy,
  type Sleepable,
  type UserAddress,
} from "@nopage/core";
import type { ControlCommand } from "./control.ts";
import { finished } from "./finished.ts";

/** What was pinned through one file. */
interface Transfer {
  readonly file: OpenFile;
  readonly pinned: Pinned;
  readonly pages: number;
}

/** A device that keeps pages by a pinning policy, one word of each to be read and written. */
export class PinningDevice {
  readonly #kernel: Kernel;
  readonly #hooks: ReturnType<PinningPolicy["create"]>;
  readonly #dma: DmaPort;
  readonly #transfers = new Map<number, Transfer>();
  #next = 0;
  stops = 0;
  /** What was chosen for the next command. */
  address = 0;
  page = 0;
  value = 0;

  constructor(machine: Machine, kernel: Kernel, policy: PinningPolicy) {
    this.#kernel = kernel;
    this.#hooks = policy.create(kernel);
    this.#dma = new DmaPort(machine, "the pinner", 52);
  }

  /** Pages that are pinned. */
  get held(): number {
    return [...this.#transfers.values()].reduce((sum, { pages }) => sum + pages, 0);
  }

  /** Pages of processes that are gone. */
  get quarantined(): number {
    return this.#hooks.quarantined?.().pages ?? 0;
  }

  /**
   * The file is gone, and with it, mostly, its process: the device, which has been at work until now, moves one last word of
   * each page; then it is stopped and everything that was pinned through the file is given back.
   */
  *release(file: OpenFile): Sleepable<void> {
    for (const [number, transfer] of this.#transfers) {
      if (transfer.file !== file) continue;
      const access = transfer.pinned.access === "device-writes" ? "write" : "read";
      for (let page = 0; page < transfer.pages; page++) {
        yield* this.#access(transfer.pinned, page, new Uint8Array(4), access);
      }
      yield* this.unpin(number);
    }
  }

  *pin(file: OpenFile, pages: number, access: PinAccess): Sleepable<number> {
    const mm = this.#kernel.user.currentMm();
    if (mm === undefined) return -EINVAL;
    const stop = () => {
      this.stops++;
    };
    const start = this.address as UserAddress;
    const pinned = yield* finished(this.#hooks.pin(mm, start, pages, access, stop));
    if (typeof pinned === "number") return pinned;
    this.#dma.map(pinned);
    this.#transfers.set(this.#next, { file, pinned, pages });
    return this.#next++;
  }

  *unpin(number: number): Sleepable<number> {
    const transfer = this.#transfers.get(number);
    if (transfer === undefined) return -EINVAL;
    const { pinned } = transfer;
    this.#transfers.delete(number);
    this.#dma.unmap(pinned);
    yield* finished(this.#hooks.unpin(pinned, pinned.access === "device-writes" ? "dirty" : "clean"));
    return 0;
  }

  *endService(): Sleepable<number> {
    yield* finished(this.#hooks.releaseQuarantine?.());
    return 0;
  }

  *read(number: number): Sleepable<number> {
    const word = new Uint8Array(4);
    const moved = yield* this.#move(number, word, "read");
    return moved < 0 ? moved : new DataView(word.buffer).getUint32(0, true);
  }

  *write(number: number): Sleepable<number> {
    const word = new Uint8Array(4);
    new DataView(word.buffer).setUint32(0, this.value, true);
    return yield* this.#move(number, word, "write");
  }

  /** Moves one word of the chosen page, with the driver's help at a device fault: 0 or a negated errno. */
  *#move(number: number, word: Uint8Array, access: "read" | "write"): Sleepable<number> {
    const transfer = this.#transfers.get(number);
    if (transfer === undefined) return -EINVAL;
    const { pinned } = transfer;
    for (;;) {
      const moved = yield* this.#access(pinned, this.page, word, access);
      if (moved !== "device-fault") return moved;
      const at = (pinned.start + this.page * this.#kernel.geometry.pageSize) as UserAddress;
      const made = yield* pinned.follower === undefined ? never() : pinned.follower.populate(at, access);
      if (isError(made)) return made;
    }
  }

  /** The device alone: 0; -EFAULT where it may not; -EIO where the bus knows no memory; or it has no translation. */
  *#access(
    { pages, follower, start }: Pinned,
    page: number,
    word: Uint8Array,
    access: "read" | "write",
  ): Sleepable<number | "device-fault"> {
    const { pageSize } = this.#kernel.geometry;
    if (follower === undefined) {
      const frame = pages[page];
      if (frame === undefined) return -EFAULT;
      const address = (frame * pageSize) as BusAddress;
      const done = yield* access === "read" ? this.#dma.read(address, word) : this.#dma.write(address, word);
      return done ? 0 : -EIO;
    }
    const address = (start + page * pageSize) as UserAddress;
    const moved = yield* access === "read"
      ? this.#dma.readThrough(follower, address, word)
      : this.#dma.writeThrough(follower, address, word);
    return moved === word.length ? 0 : "device-fault";
  }
}

function* never(): Sleepable<number> {
  return -EFAULT;
}

/** The commands, in the order of their numbers. */
export const pinnerCommands = {
  "choose-address": (device, address) => {
    device.address = address;
    return 0;
  },
  "pin-for-read": (device, pages, file) => device.pin(file, pages, "device-reads"),
  "pin-for-write": (device, pages, file) => device.pin(file, pages, "device-writes"),
  unpin: (device, number) => device.unpin(number),
  "choose-page": (device, page) => {
    device.page = page;
    return 0;
  },
  "choose-value": (device, value) => {
    device.value = value;
    return 0;
  },
  "device-read": (device, number) => device.read(number),
  "device-write": (device, number) => device.write(number),
  held: (device) => device.held,
  stops: (device) => device.stops,
  quarantined: (device) => device.quarantined,
  "end-service": (device) => device.endService(),
} satisfies Record<string, ControlCommand<PinningDevice>>;
