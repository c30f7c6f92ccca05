import { EBUSY, ENODEV, ENOMEM } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import type { Machine } from "../machine.ts";
import type { IoDevice, IoRange } from "../memory/io-ranges.ts";
import { Mutex } from "../sched/mutex.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import { DmaPort } from "./dma-port.ts";
import type { InterruptLine, InterruptMode } from "./interrupt-controller.ts";

/** What a PCI function is before it is plugged in. */
export interface PciFunctionShape {
  readonly name: string;
  /** Vendor and device, as `lspci -n` shows them. */
  readonly vendorId: number;
  readonly deviceId: number;
  readonly bars: readonly PciBarShape[];
  readonly interrupts: InterruptMode;
  /** Address bits that the device can put on the bus (`dma_set_mask`). */
  readonly dmaBits: number;
  /** The function loses its power: it moves nothing and raises nothing from now on. */
  powerOff?(): void;
}

/** What drives a function (`struct pci_driver`). */
export interface PciDriver {
  readonly name: string;
  /**
   * The function is going, or has gone already: reads of its registers give all ones (`pci_driver.remove`). When this
   * returns the driver touches it no more; files and mappings of the driver's may live on.
   */
  remove(): Sleepable<void>;
}

/** One base address register: a window of a power of two bytes, with what answers to reads and writes in it. */
export interface PciBarShape {
  readonly bytes: number;
  readonly device: IoDevice;
}

/** A plugged-in PCI function: its windows have addresses, its interrupt line is connected. */
export interface PciFunction {
  readonly shape: PciFunctionShape;
  /** Windows of the BARs, in order. */
  readonly windows: readonly IoRange[];
  readonly interrupt: InterruptLine;
  readonly dma: DmaPort;
}

/** Plugs PCI functions in and out. */
export class PciBus {
  readonly #machine: Machine;
  readonly #functions = new Set<PciFunction>();
  /** Held while a driver is told (`device_lock`). */
  readonly #lock: Mutex;
  readonly #drivers = new Map<PciFunction, PciDriver>();
  /** The identity of the lists of functions and of their drivers for the scheduler. */
  readonly #cell: number;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#lock = new Mutex(machine.sched, "pci device");
    this.#cell = machine.sched.nextObject();
  }

  /**
   * Gives a function its windows and its line; or -ENOSPC or -EBUSY when there is no room, -ENOMEM, with nothing kept.
   */
  plug(shape: PciFunctionShape): PciFunction | number {
    const { memory, geometry, interrupts } = this.#machine;
    if (!this.#machine.mayAllocate("pci_alloc_dev")) return -ENOMEM;
    const windows: IoRange[] = [];
    for (const [index, bar] of shape.bars.entries()) {
      const pages = Math.ceil(bar.bytes / geometry.pageSize);
      const window = memory.io.claim(`${shape.name} BAR${index}`, pages, bar.device, undefined, windows[0]);
      if (typeof window === "number") {
        for (const claimed of windows) memory.io.release(claimed);
        return window;
      }
      windows.push(window);
    }
    const plugged: PciFunction = {
      shape,
      windows,
      interrupt: interrupts.connect(shape.interrupts),
      dma: new DmaPort(this.#machine, shape.name, shape.dmaBits),
    };
    this.#note(Access.write);
    this.#functions.add(plugged);
    return plugged;
  }

  /**
   * Makes a driver the one that is told when the function goes (`pci_register_driver`).
   *
   * @returns 0; -ENODEV; -EBUSY when it has one; -ENOMEM
   */
  bindDriver(plugged: PciFunction, driver: PciDriver): number {
    this.#note(Access.write);
    if (!this.#functions.has(plugged)) return -ENODEV;
    if (this.#drivers.has(plugged)) return -EBUSY;
    if (!this.#machine.mayAllocate("pci_register_driver")) return -ENOMEM;
    this.#drivers.set(plugged, driver);
    return 0;
  }

  /**
   * The driver lets the function go (`pci_unregister_driver`), which stays where it is. When this returns the driver's
   * `remove` does not run and will not.
   */
  *unbindDriver(plugged: PciFunction): Sleepable<void> {
    yield* this.#lock.lock();
    this.#note(Access.write);
    this.#drivers.delete(plugged);
    this.#lock.unlock();
  }

  /**
   * Takes a function out, whatever it is doing (surprise removal): from this moment on reads of its registers give all
   * ones. Then its driver is told, and its windows are freed once that has let go.
   *
   * @returns 0; -EBUSY when it is not plugged in, or somebody else is taking it out
   */
  *unplug(plugged: PciFunction): Sleepable<number> {
    this.#note(Access.write);
    if (!this.#functions.delete(plugged)) return -EBUSY;
    const { memory, log } = this.#machine;
    log.record("pci-unplug", plugged.interrupt.number);
    plugged.dma.cutOff();
    plugged.shape.powerOff?.();
    for (const window of plugged.windows) memory.io.silence(window);
    yield* this.#lock.lock();
    this.#note(Access.write);
    const driver = this.#drivers.get(plugged);
    this.#drivers.delete(plugged);
    if (driver !== undefined) yield* driver.remove();
    this.#lock.unlock();
    for (const window of plugged.windows) memory.io.release(window);
    return 0;
  }

  /** The functions plugged in at present, in order. */
  functions(): readonly PciFunction[] {
    this.#note(Access.read);
    return [...this.#functions];
  }

  #note(access: Access): void {
    this.#machine.sched.note(ObjectKind.cell, this.#cell, access);
  }
}
