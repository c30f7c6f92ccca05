import { EBUSY } from "../contract/errno.ts";
import type { Machine } from "../machine.ts";
import type { IoDevice, IoRange } from "../memory/io-ranges.ts";
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

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Gives a function its windows and its line; or -ENOSPC or -EBUSY, with nothing kept, when there is no room. */
  plug(shape: PciFunctionShape): PciFunction | number {
    const { memory, geometry, interrupts } = this.#machine;
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
    this.#functions.add(plugged);
    return plugged;
  }

  /** Takes a function out and frees its windows; -EBUSY when it is not plugged in. */
  unplug(plugged: PciFunction): number {
    if (!this.#functions.delete(plugged)) return -EBUSY;
    for (const window of plugged.windows) this.#machine.memory.io.release(window);
    return 0;
  }

  /** The functions plugged in at present, in order. */
  functions(): readonly PciFunction[] {
    return [...this.#functions];
  }
}
