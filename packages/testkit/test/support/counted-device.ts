import {
  type AllocationGate,
  createKernel,
  type Kernel,
  type KernelModule,
  Machine,
  type MachineOptions,
  mapPage,
  owners,
  type Page,
  type Sleepable,
  sigbus,
  type UserThread,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";

export const RW = VM_READ | VM_WRITE;

/** A machine with a driver that counts its areas: the mmap hook and `open` count up, `close` down. */
export interface CountedWorld {
  readonly machine: Machine;
  readonly kernel: Kernel;
  readonly page: number;
  readonly module: KernelModule;
  /** Areas that the driver knows of; an area that was opened and never closed shows here, and one closed twice. */
  readonly areas: () => number;
  /** Pages that the device shows. */
  readonly pages: readonly Page[];
}

export const countedPath = "/dev/counted";

export function buildCounted(allocations: AllocationGate, options: MachineOptions = {}): CountedWorld {
  const machine = new Machine({ ramPages: 128, ...options, allocations });
  const kernel = createKernel(machine);
  const module = machine.devices.loadModule("counted");
  if (typeof module === "number") throw new Error("no memory for the module");
  const pages = Array.from({ length: 8 }, () => machine.memory.pages.allocZeroedPage(owners.driver) as Page);
  let areas = 0;
  const ops = {
    name: "counted",
    open: () => {
      areas++;
    },
    close: () => {
      areas--;
    },
    nopage: ({ pgoff }: { pgoff: number }) => {
      const page = pages[pgoff];
      if (page === undefined) return sigbus;
      machine.memory.frames.get(page);
      return mapPage(page);
    },
  };
  machine.devices.register(countedPath, {
    name: "counted",
    owner: module,
    mmap: (_file, area) => {
      area.ops = ops;
      areas++;
      return 0;
    },
  });
  return { machine, kernel, page: machine.geometry.pageSize, module, areas: () => areas, pages };
}

/** Opens and maps the device, and closes the descriptor again. */
export function* mapCounted(thread: UserThread, pages = 8): Sleepable<number> {
  const descriptor = yield* thread.open({ path: countedPath, mode: "read-write", blocking: "blocking" });
  const length = pages * thread.machine.geometry.pageSize;
  const address = yield* thread.mmap({ length, protection: RW, sharing: "shared", descriptor });
  yield* thread.close(descriptor);
  return address;
}

export function* mapAnonymous(
  thread: UserThread,
  pages: number,
  sharing: "private" | "shared" = "private",
): Sleepable<number> {
  const length = pages * thread.machine.geometry.pageSize;
  return yield* thread.mmap({ length, protection: RW, sharing });
}
