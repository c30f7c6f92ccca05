import { ENOMEM } from "./contract/errno.ts";
import type { Sleepable } from "./contract/execution.ts";
import type { Kernel } from "./contract/kernel.ts";
import type { UserAddress, VirtualNs } from "./contract/units.ts";
import { firstFrame } from "./device/first-frame.ts";
import { MappingBinding } from "./device/mapping-binding.ts";
import { createMmio } from "./device/mmio.ts";
import { PinningBinding } from "./device/pinning-binding.ts";
import type { Machine } from "./machine.ts";
import { chargePins, unchargePins } from "./mm/charge-pins.ts";
import { reading, tryReading, withEntry } from "./mm/entry-view.ts";
import { createGhost, shareWithGhost, unshareWithGhost } from "./mm/ghost.ts";
import { handOver } from "./mm/hand-over.ts";
import { insertPage, insertPfn } from "./mm/insert.ts";
import { insertInterval, registerNotifier, unregisterNotifier } from "./mm/notifier.ts";
import { noteLookAt } from "./mm/page-points.ts";
import { getUserPages, releaseUserPage } from "./mm/pin.ts";
import { remapMissing, remapPfnRange } from "./mm/remap.ts";
import { accessPhys } from "./mm/remote-access.ts";
import { forEachArea, unmapMappingRange } from "./mm/rmap.ts";
import type { Vma } from "./mm/vma.ts";
import { zapVma } from "./mm/zap.ts";
import { traced } from "./sanitize/traced.ts";
import { Mutex } from "./sched/mutex.ts";
import { Plain } from "./sched/plain.ts";
import { Access, ObjectKind } from "./sched/points.ts";
import { RwSemaphore } from "./sched/rw-semaphore.ts";
import type { Scheduler } from "./sched/scheduler.ts";
import { Shared } from "./sched/shared.ts";
import { SpinLock } from "./sched/spin-lock.ts";
import { WaitQueue } from "./sched/wait-queue.ts";
import { UserThread } from "./user/user-thread.ts";

/** The kernel of a machine as plugins see it. */
export function createKernel(machine: Machine): Kernel {
  const { sched, memory } = machine;
  const sleeps = new WaitQueue(sched, "a timer");
  const currentThread = (): UserThread | undefined => {
    const owner = sched.current?.owner;
    return owner instanceof UserThread ? owner : undefined;
  };
  const spawnThread = (name: string, body: () => Sleepable<void>, daemon: "daemon" | "required") =>
    sched.spawn({ name, kind: "kernel", cpu: machine.cpuInTurn(), daemon }, body());
  const kernel: Kernel = {
    geometry: machine.geometry,
    memory,
    devices: machine.devices,
    pci: machine.pci,
    log: machine.log,
    mmio: createMmio(machine),
    bindPinning: (policy) => new PinningBinding(machine, offered, policy),
    bind: (strategy, shape) => new MappingBinding(machine, offered, strategy, shape),
    reportDeviceRule: (message, device) =>
      machine.violations.report("device-rule", message, device === undefined ? {} : { object: device }),
    pages: {
      get: (page) => machine.getPage(page),
      handOver: (page) => handOver(machine, page),
      put: (page) => machine.putPage(page),
      of: (pfn) => memory.frames.pageOf(pfn),
      mayBeMapped: (page) => {
        noteLookAt(machine, page);
        return memory.frames.mayBeMapped(page);
      },
    },
    mappings: {
      withEntry,
      reading,
      tryReading,
      firstFrame: (backing) => firstFrame(memory, backing),
      remapPfnRange: (area, request) => remapPfnRange(area as Vma, request),
      remapMissing: (area, request) => remapMissing(area as Vma, request),
      insertPfn: (area, address, pfn) => insertPfn(area as Vma, address, pfn),
      insertPage: (area, address, page) => insertPage(area as Vma, address, page),
      accessPhys: (area, address, buffer, direction) => accessPhys(area as Vma, address, buffer, direction),
      zapVma: (area, start, end) => zapVma(area as Vma, start, end),
      unmapMappingRange,
      forEachArea,
      registerNotifier,
      unregisterNotifier,
      insertInterval,
    },
    user: {
      currentMm: () => currentThread()?.mm,
      copyTo: (address, from) => copyTo(sched, currentThread, address, from),
      copyFrom: (address, to) => copyFrom(sched, currentThread, address, to),
      getPages: getUserPages,
      releasePage: releaseUserPage,
      chargePins,
      unchargePins,
      isAlive(mm) {
        sched.note(ObjectKind.cell, mm.usersCell, Access.read);
        return mm.users > 0;
      },
      tryUse: (mm) => mm.tryUse(),
      drop: (mm) => machine.dropMm(mm),
      dropLater(mm) {
        sched.note(ObjectKind.cell, mm.usersCell, Access.countDown);
        if (mm.users > 1) mm.users--;
        else spawnThread(`mmput of ${mm.name}`, () => machine.dropMm(mm), "required");
      },
    },
    ghosts: {
      create: (name) => createGhost(machine, name),
      share: shareWithGhost,
      unshare: unshareWithGhost,
    },
    sync: {
      spinLock: (name) => new SpinLock(sched, name),
      mutex: (name) => new Mutex(sched, name),
      rwSemaphore: (name) => new RwSemaphore(sched, name),
      waitQueue: (name) => new WaitQueue(sched, name),
      shared: (name, initial) => new Shared(sched, name, initial),
      plain: (name, initial) => new Plain(sched, name, initial),
      rcu: machine.rcu,
    },
    time: {
      now: () => sched.now,
      sleep: (duration) => sleepFor(sched, sleeps, duration),
      spawnKernelThread: (name, body, daemon) =>
        machine.mayAllocate("kthread_create") ? spawnThread(name, body, daemon) : -ENOMEM,
      spawnHardware: (name, body) =>
        sched.spawn({ name, kind: "hardware", cpu: -1, daemon: "daemon" }, body()),
      currentTask: () => sched.current?.name ?? "boot",
      isDying: () => sched.current !== undefined && sched.isDying(sched.current),
    },
  };
  const offered = machine.isTraced ? tracedKernel(machine, kernel) : kernel;
  return offered;
}

// Functions that sleep are functions of the module: one that is made anew for each machine costs the JavaScript engine a
// hidden class each.

function* copyTo(
  sched: Scheduler,
  currentThread: () => UserThread | undefined,
  address: UserAddress,
  from: Uint8Array,
): Sleepable<number> {
  sched.mightSleep("a copy to user memory");
  const thread = currentThread();
  if (thread === undefined) return from.length;
  const { bytes } = yield* thread.kernelAccess.storeBlock(address, from);
  return from.length - bytes;
}

function* copyFrom(
  sched: Scheduler,
  currentThread: () => UserThread | undefined,
  address: UserAddress,
  to: Uint8Array,
): Sleepable<number> {
  sched.mightSleep("a copy from user memory");
  const thread = currentThread();
  if (thread === undefined) return to.length;
  const { bytes } = yield* thread.kernelAccess.loadBlock(address, to);
  to.fill(0, bytes);
  return to.length - bytes;
}

function* sleepFor(sched: Scheduler, sleeps: WaitQueue, duration: VirtualNs): Sleepable<void> {
  const deadline = sched.now + duration;
  yield* sleeps.waitUntilOr(() => sched.now >= deadline, "uninterruptible", deadline);
}

/** The same kernel, each of whose functions stands among the callers of what it does; locks and time apart. */
function tracedKernel({ sched }: Machine, kernel: Kernel): Kernel {
  return {
    ...kernel,
    memory: traced(sched, kernel.memory, { inside: ["pages", "kmalloc", "vmalloc", "coherent"] }),
    pages: traced(sched, kernel.pages),
    mappings: traced(sched, kernel.mappings),
    user: traced(sched, kernel.user),
    ghosts: traced(sched, kernel.ghosts),
    mmio: traced(sched, kernel.mmio),
  };
}
