import {
  type BackingKind,
  type Kernel,
  type Machine,
  type MappingStrategy,
  type Sleepable,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import { mustSucceed } from "../program/expect.ts";
import type { Steps } from "../program/operation.ts";
import { user } from "../program/user.ts";
import { type ShownMemory, showMemory } from "../shown-memory.ts";
import { createTestDevice, type TestDevice } from "../test-device.ts";

const LONG_DEVICE = "/dev/subject-long";

/** Another object of a subject's driver, which is there only while it is asked for. */
export class LongObject {
  readonly #machine: Machine;
  readonly #kernel: Kernel;
  readonly #strategy: MappingStrategy;
  readonly #backing: BackingKind;
  #shown: { readonly memory: ShownMemory; readonly device: TestDevice } | undefined;

  constructor(machine: Machine, kernel: Kernel, strategy: MappingStrategy, backing: BackingKind) {
    this.#machine = machine;
    this.#kernel = kernel;
    this.#strategy = strategy;
    this.#backing = backing;
  }

  /** Takes memory, marks each of its pages, and shows it through the strategy. */
  show(pages: number): number {
    const memory = showMemory(this.#machine, this.#backing, pages);
    const device = createTestDevice(this.#machine, this.#kernel, this.#strategy, {
      path: LONG_DEVICE,
      memory: memory.memory,
      pages,
      cache: this.#backing === "pfn-run" ? "uncached" : "cached",
    });
    this.#shown = { memory, device };
    return 0;
  }

  /** Takes its device out, and gives the memory back. */
  *free(): Sleepable<number> {
    const shown = this.#shown;
    if (shown === undefined) return 0;
    this.#shown = undefined;
    yield* shown.device.binding.remove();
    this.#machine.devices.unregister(LONG_DEVICE);
    shown.memory.release();
    return 0;
  }
}

/** Maps all of the long object at the address `at`: the address, or a negated errno. */
export function* mapLongObject(length: number, at: number): Steps<number> {
  const request = { path: LONG_DEVICE, mode: "read-write", blocking: "blocking" } as const;
  const descriptor = mustSucceed(`open of ${LONG_DEVICE}`, yield* user.open(request));
  const address = yield* user.mmap({
    length,
    protection: VM_READ | VM_WRITE,
    sharing: "shared",
    pgoff: 0,
    descriptor,
    address: at,
    placement: "fixed",
  });
  yield* user.close(descriptor);
  return address;
}
