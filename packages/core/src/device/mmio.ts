import type { Mmio } from "../contract/kernel.ts";
import type { Machine } from "../machine.ts";
import { type IoDevice, type IoRange, type IoWidth, writeIo64 } from "../memory/io-ranges.ts";
import { Access, Allocator, ObjectKind } from "../sched/points.ts";

/** The kernel's way to device registers. User code has its own, through the page tables: see `MmioWindow`. */
export function createMmio(machine: Machine): Mmio {
  const { sched, log, geometry } = machine;

  const check = (window: IoRange, offset: number, bytes: number): void => {
    const size = (window.endPfn - window.startPfn) * geometry.pageSize;
    if (offset >= 0 && offset + bytes <= size) return;
    throw new RangeError(`${window.name} has ${size} bytes: none at 0x${offset.toString(16)}`);
  };
  // A read may have side effects in the device, so it is announced like a write.
  const announce = (window: IoRange) => sched.at(ObjectKind.register, window.registerFile, Access.write);
  // Whether anybody answers there changes with the windows: see `IoRanges.silence`.
  const answering = (window: IoRange): IoDevice => {
    sched.note(ObjectKind.allocator, Allocator.window, Access.read);
    return window.device;
  };
  const readNow = (window: IoRange, offset: number, width: IoWidth): number => {
    const value = answering(window).read(offset, width);
    log.record("register-read", offset, width, value);
    return value;
  };

  return {
    *read(window, offset, width) {
      check(window, offset, width);
      if (sched.interleaving) yield announce(window);
      return readNow(window, offset, width);
    },
    *write(window, offset, width, value) {
      check(window, offset, width);
      if (sched.interleaving) yield announce(window);
      log.record("register-write", offset, width, value);
      answering(window).write(offset, width, value);
    },
    *write64(window, offset, value) {
      check(window, offset, 8);
      if (sched.interleaving) yield announce(window);
      log.record("register-write", offset, 8, Number(value));
      writeIo64(answering(window), offset, value);
    },
    *readBlock(window, offset, to) {
      check(window, offset, to.length);
      if (sched.interleaving) yield announce(window);
      const view = new DataView(to.buffer, to.byteOffset, to.byteLength);
      for (let done = 0; done < to.length; ) {
        const at = offset + done;
        const isWord = (at & 3) === 0 && to.length - done >= 4;
        if (isWord) view.setUint32(done, readNow(window, at, 4), true);
        else view.setUint8(done, readNow(window, at, 1));
        done += isWord ? 4 : 1;
      }
    },
    *touch(window) {
      if (sched.interleaving) yield announce(window);
    },
  };
}
