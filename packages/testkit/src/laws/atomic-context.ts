import {
  type Area,
  type FaultOutcome,
  installed,
  type Kernel,
  type Sleepable,
  sigbus,
  VM_MIXEDMAP,
  VM_READ,
} from "@nopage/core";
import { markOf } from "../mark.ts";
import { mustBe, mustReach, SIGBUS, succeed } from "../program/expect.ts";
import type { Steps } from "../program/operation.ts";
import { user } from "../program/user.ts";
import type { Subject } from "../subject/subject.ts";
import type { AnyLaw, LawCase } from "./law.ts";
import { ownDevice } from "./support/own-device.ts";
import { privateMemory } from "./support/private-memory.ts";

/** P. Locks and contexts. */
export const atomicLaws: readonly AnyLaw[] = [
  {
    id: "AT-01",
    level: "model-only",
    owner: ["strategy"],
    rule: "mmap, open, close, nopage and mkwrite run with the mmap lock held and may sleep; what makes entries may allocate, and MUST NOT be called under a spinlock",
    source: "Documentation/filesystems/locking.rst; vmf_insert_pfn",
    cases: [
      {
        when: "hooks that sleep",
        schedule: "sequential",
        kinds: "one",
        *program() {
          const unlocked: string[] = [];
          const called = new Set<string>();
          function* look(hook: string, { mm }: Area, kernel: Kernel): Sleepable<void> {
            called.add(hook);
            if (!mm.lock.isHeldByCurrent) unlocked.push(hook);
            yield* kernel.time.sleep(10);
            if (!mm.lock.isHeldByCurrent) unlocked.push(`${hook}, after its sleep`);
          }
          const device = yield* ownDevice({
            *mmap(area, { kernel }) {
              yield* look("mmap", area, kernel);
              return 0;
            },
            ops: ({ kernel, pages }) => ({
              open: (area) => look("open", area, kernel),
              close: (area) => look("close", area, kernel),
              *nopage({ area, pgoff }) {
                yield* look("nopage", area, kernel);
                const page = pages[pgoff];
                if (page === undefined) return sigbus;
                yield* kernel.pages.get(page);
                return { kind: "page", page };
              },
              *mkwrite({ area }) {
                yield* look("mkwrite", area, kernel);
                return installed;
              },
            }),
          });
          const { address, pages } = yield* device.mapped();
          const { pageSize } = device.machine.geometry;
          yield* user.load(address);
          yield* user.store(address, 1);
          yield* user.munmap(address + pageSize, pageSize);
          yield* user.munmap(address, pages * pageSize);
          mustBe("hooks without the mmap lock", unlocked, []);
          mustBe("hooks that ran", [...called].sort(), ["close", "mkwrite", "mmap", "nopage", "open"]);
          yield* device.release();
        },
      },
      {
        when: "a sleep under a spinlock",
        schedule: "sequential",
        provokes: ["sleep-in-atomic"],
        kinds: "one",
        *program() {
          const device = yield* ownDevice({
            ops: ({ kernel }) => {
              const lock = kernel.sync.spinLock("a driver's spinlock");
              return {
                *nopage() {
                  yield* lock.lock();
                  yield* kernel.time.sleep(10);
                  lock.unlock();
                  return sigbus;
                },
              };
            },
          });
          const { address } = yield* device.mapped();
          yield* user.load(address);
        },
      },
    ],
  },
  {
    id: "AT-02",
    level: "model-only",
    owner: ["strategy"],
    rule: "what a follower is told under the page-table lock MUST be taken without sleeping",
    source: "Documentation/filesystems/locking.rst; Documentation/mm/mmu_notifier.rst; c7ab0d2fdc84",
    cases: [
      {
        when: "a device whose process stores to a page that a fork shares",
        schedule: "sequential",
        about: ["mirroring"],
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map({ sharing: "private" }));
          mustReach("the device's store to page 0", yield* subject.put(address, 7));
          const child = yield* user.fork(function* () {
            yield* user.sleep(1000);
          });
          yield* user.store(address, 8);
          mustBe("what the device reads", yield* subject.reach(address), 8);
          if (typeof child === "object") yield* user.join(child);
        },
      },
      {
        when: "a follower that sleeps there",
        schedule: "sequential",
        provokes: ["sleep-in-atomic"],
        *program({ subject }) {
          const own = yield* privateMemory(subject.pageSize, [1]);
          yield* user.kernel(function* ({ kernel, thread }) {
            const mutex = kernel.sync.mutex("a follower's mutex");
            yield* kernel.mappings.registerNotifier(thread.mm, {
              name: "sleeps under the page-table lock",
              *invalidatePage() {
                for (const _step of mutex.with(function* () {})) throw new Error("nobody else has the mutex");
              },
            });
          });
          const child = yield* user.fork(function* () {
            yield* user.sleep(1000);
          });
          yield* user.store(own, 2);
          if (typeof child === "object") yield* user.join(child);
        },
      },
    ],
  },
  {
    id: "AT-03",
    level: "required",
    owner: ["driver"],
    rule: "a driver MUST NOT copy to or from user memory under a lock that its own mmap hook or fault handler takes: the buffer may be a mapping of the very device",
    source: "CVE-2023-52615 of hwrng; the fix of usbmon's read; CVE-2025-21853",
    cases: [
      {
        when: "read and write with a buffer in its own mapping",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize } = subject;
          const descriptor = yield* succeed("open", subject.open());
          const address = yield* succeed("mmap", subject.map({ descriptor }));
          const copying = yield* user.thread(function* () {
            yield* user.read(descriptor, address + pageSize, 16);
            yield* user.write(descriptor, address, 16);
          }, "copying");
          yield* user.settle();
          mustBe("who reads into a mapping of the device itself", yield* user.stateOf(copying), "ended");
          yield* user.munmap(address, subject.pages * pageSize);
        },
      },
      {
        when: "a driver that does",
        schedule: "sequential",
        executor: "model",
        provokes: ["deadlock"],
        kinds: "one",
        *program() {
          const path = "/dev/holds-its-lock";
          const device = yield* ownDevice({
            ops: ({ kernel }) => {
              const lock = kernel.sync.mutex("the device's mutex");
              kernel.devices.register(path, {
                name: path,
                owner: undefined,
                *read(_file, buffer) {
                  return yield* lock.with(() => kernel.user.copyTo(buffer, Uint8Array.of(1)));
                },
              });
              return { nopage: () => lock.with(() => nothingThere()) };
            },
          });
          const { address } = yield* device.mapped();
          const request = { path, mode: "read-write", blocking: "blocking" } as const;
          const descriptor = yield* succeed("open", user.open(request));
          yield* user.read(descriptor, address, 1);
        },
      },
    ],
  },
  {
    id: "AT-04",
    level: "model-only",
    owner: ["strategy"],
    rule: "an area's flags may be changed with the mmap lock held for writing only: in the mmap hook; a fault that inserts a page MUST find VM_MIXEDMAP set",
    source: "vm_insert_page",
    cases: [
      inserting("in the mmap hook's area that has it", "set"),
      { ...inserting("in an area that does not", "missing"), provokes: ["area-rule"] },
    ],
  },
  {
    id: "AT-05",
    level: "required",
    owner: ["strategy", "driver"],
    rule: "locks MUST be taken in the order mmap lock, page lock, reverse map, anonymous memory, page table; a fault handler MUST NOT take the mmap lock",
    source: "the comment at the top of mm/rmap.c",
    cases: [
      {
        when: "a tour of everything that takes locks",
        schedule: "sequential",
        about: ["mapping", "mirroring"],
        *program({ subject }) {
          yield* tour(subject);
        },
      },
      {
        when: "two processes on the same object",
        schedule: "racy",
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map({ pages: 1 }));
          const other = yield* user.thread(function* () {
            yield* subject.reach(address);
          });
          yield* subject.gate?.close() ?? nothing();
          yield* subject.gate?.open() ?? nothing();
          yield* user.munmap(address, subject.pageSize);
          yield* user.join(other);
        },
      },
      {
        when: "a fault handler that takes the mmap lock",
        schedule: "sequential",
        executor: "model",
        provokes: ["lock-order"],
        kinds: "one",
        *program() {
          const device = yield* ownDevice({
            ops: () => ({
              *nopage({ area: { mm } }) {
                yield* mm.lock.read();
                mm.lock.unlockRead();
                return sigbus;
              },
            }),
          });
          const { address } = yield* device.mapped();
          yield* user.load(address);
        },
      },
    ],
  },
  {
    id: "AT-06",
    level: "required",
    owner: ["strategy", "driver"],
    rule: "an area that a driver keeps is valid until its close and with its process's lock only: what comes to stand at the same address later MUST NOT be touched",
    source: "CVE-2023-20928 of binder; vfio_pci_zap_and_down_write_memory_lock",
    cases: [
      {
        when: "other memory at the same address",
        schedule: "sequential",
        excluded: ({ subject }) => (subject.gate === undefined ? "it has no gate" : undefined),
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* subject.reach(address);
          yield* user.munmap(address, pages * pageSize);
          const own = yield* privateMemory(pageSize, [1, 2, 3, 4]);
          mustBe("where the other memory stands", own, address);
          yield* subject.gate?.close() ?? nothing();
          yield* subject.gate?.open() ?? nothing();
          for (let page = 0; page < pages; page++) {
            mustBe(`page ${page} of the other memory`, yield* user.load(own + page * pageSize), page + 1);
          }
        },
      },
      {
        when: "a process that is gone",
        schedule: "sequential",
        excluded: ({ subject }) => (subject.gate === undefined ? "it has no gate" : undefined),
        *program({ subject }) {
          const child = yield* user.process(function* () {
            const address = yield* succeed("mmap", subject.map());
            yield* subject.reach(address);
          });
          yield* user.join(child);
          yield* subject.gate?.close() ?? nothing();
          yield* subject.gate?.open() ?? nothing();
          const address = yield* succeed("mmap", subject.map());
          mustBe("page 0 for the next process", yield* subject.reach(address), subject.markOf(0));
        },
      },
    ],
  },
];

function* nothing(): Steps<void> {}

/** A fault that inserts a page by itself, into an area whose mmap hook has set VM_MIXEDMAP or has not. */
function inserting(when: string, flag: "set" | "missing"): LawCase {
  return {
    when,
    schedule: "sequential",
    *program() {
      const device = yield* ownDevice({
        mmap(area) {
          if (flag === "set") area.flags |= VM_MIXEDMAP;
          return 0;
        },
        ops: ({ kernel, pages }) => ({
          *nopage({ area, address, pgoff }) {
            const page = pages[pgoff];
            if (page === undefined) return sigbus;
            return (yield* kernel.mappings.insertPage(area, address, page)) === 0 ? installed : sigbus;
          },
        }),
      });
      const { address, pages } = yield* device.mapped();
      const seen = yield* user.load(address);
      if (flag === "set") mustBe("page 0", seen, markOf(0));
      else mustBe("a load whose page cannot be inserted", seen, SIGBUS);
      yield* user.munmap(address, pages * device.machine.geometry.pageSize);
      yield* device.release();
    },
  };
}

/** Everything that takes locks, once: faults, a fork, calls on the mapping, and what the driver does to it. */
function* tour(subject: Subject): Steps<void> {
  const { pageSize, pages } = subject;
  const address = yield* succeed("mmap", subject.map());
  const own = yield* privateMemory(pageSize, [1, 2]);
  yield* subject.reach(address);
  const child = yield* user.fork(function* () {
    yield* user.load(address);
    yield* user.store(own, 3);
  });
  yield* user.store(own, 4);
  yield* user.mprotect(own, pageSize, VM_READ);
  yield* user.madvise(own, pageSize, "dontneed");
  yield* user.madvise(address, pageSize, "dontneed");
  yield* subject.reach(address);
  yield* user.msync(address, pageSize, {});
  yield* user.mlock(own, pageSize);
  yield* subject.gate?.close() ?? nothing();
  yield* subject.gate?.open() ?? nothing();
  if (subject.resize !== undefined) {
    yield* subject.resize(pages - 1);
    yield* subject.resize(pages);
  }
  yield* subject.reach(address);
  const size = { oldLength: pages * pageSize, newLength: pages * pageSize, newAddress: 0x1000_0000 };
  yield* user.mremap({ address, ...size, moving: "may-move" });
  yield* user.readProcMem(size.newAddress, 4);
  yield* user.munmap(size.newAddress, pageSize);
  if (typeof child === "object") yield* user.join(child);
  if (subject.remove !== undefined) yield* subject.remove();
}

function* nothingThere(): Sleepable<FaultOutcome> {
  return sigbus;
}
