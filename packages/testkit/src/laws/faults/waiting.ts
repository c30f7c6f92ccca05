import { EAGAIN, retryNow, type UserAddress, VM_READ, VM_WRITE } from "@nopage/core";
import { mustBe, SIGBUS, SIGSEGV_MAPERR, succeed } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw, Stage } from "../law.ts";
import { mustHaveFaulted, references, residentPages } from "../support/accounts.ts";
import { existingPages } from "../support/existing-pages.ts";
import { gateOf, waitsAtNoGate } from "../support/gate-of.ts";
import { ownDevice } from "../support/own-device.ts";
import { retryingHandlers } from "./asking-again.ts";
import { meetingCases } from "./meeting.ts";

/** Faults that have to be tried again, and faults that meet. */
export const waitingLaws: readonly AnyLaw[] = [
  {
    id: "FR-07",
    level: "capability",
    owner: ["strategy", "core"],
    rule: "a fault MUST be answered with retry only where it allows that; who waits MUST hold no mmap lock meanwhile and MUST NOT touch the area afterwards",
    source:
      "mm/filemap.c __folio_lock_or_retry; drivers/gpu/drm/ttm/ttm_bo_vm.c ttm_bo_vm_reserve; fs/userfaultfd.c handle_userfault",
    cases: [
      {
        when: "the mapping goes away while a thread waits",
        schedule: "sequential",
        excluded: waitsAtNoGate,
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* gateOf(subject).close();
          let seen: unknown;
          const waiter = yield* user.thread(function* () {
            seen = yield* user.load(address);
          }, "waiter");
          yield* user.settle();
          mustBe("who touches a closed object", yield* user.stateOf(waiter), "blocked");
          const sibling = yield* user.thread(function* () {
            const request = { length: pageSize, protection: VM_READ | VM_WRITE, sharing: "private" } as const;
            const other = yield* succeed("mmap of other memory", user.mmap(request));
            mustBe("a store to other memory", yield* user.store(other, 1), undefined);
            yield* succeed("munmap of it", user.munmap(other, pageSize));
            yield* succeed("munmap of what is waited for", user.munmap(address, pages * pageSize));
          }, "sibling");
          yield* user.settle();
          mustBe("who needs the mmap lock meanwhile", yield* user.stateOf(sibling), "ended");
          yield* gateOf(subject).open();
          yield* user.join(waiter);
          mustBe("the load of the thread that waited", seen, SIGSEGV_MAPERR);
        },
      },
      {
        when: "nobody is to wait",
        schedule: "sequential",
        excluded: ({ subject: { supports, gate } }) =>
          gate !== undefined && supports.whileRevoked === "sigbus" ? undefined : "who touches it waits",
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* gateOf(subject).close();
          let seen: unknown;
          const toucher = yield* user.thread(function* () {
            seen = yield* user.load(address);
          }, "toucher");
          yield* user.sleep(20_000);
          mustBe("who touches a closed object", yield* user.stateOf(toucher), "ended");
          mustBe("the load", seen, SIGBUS);
          yield* gateOf(subject).open();
        },
      },
      {
        when: "a fault that may not wait",
        schedule: "sequential",
        executor: "model",
        excluded: (stage: Stage) =>
          waitsAtNoGate(stage) ?? (stage.subject.supports.countsPages ? undefined : "nobody can pin it"),
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* gateOf(subject).close();
          const answer = yield* user.kernel(function* ({ kernel, thread }) {
            const request = {
              access: "read",
              hold: "pin",
              permission: "checked",
              waiting: "no-wait",
            } as const;
            const held = yield* kernel.user.getPages(thread.mm, address as UserAddress, 1, request);
            return typeof held === "number" ? held : held.length;
          });
          mustBe("get_user_pages that may not wait", answer, -EAGAIN);
          yield* succeed("munmap afterwards", user.munmap(address, subject.pages * subject.pageSize));
          yield* gateOf(subject).open();
        },
      },
      {
        when: "a handler that wants to be asked again at once",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program() {
          let tries = 0;
          const device = yield* ownDevice({
            ops: ({ kernel, pages }) => ({
              nopage: ({ pgoff }) => {
                const page = pages[pgoff];
                return ++tries < 3 || page === undefined ? retryNow : kernel.pages.handOver(page);
              },
            }),
          });
          const { address } = yield* device.mapped();
          const before = yield* user.faults();
          mustBe("a load", yield* user.load(address), device.markOf(0));
          mustBe("how often the handler was asked", tries, 3);
          yield* mustHaveFaulted("a fault that was tried again", before, { minor: 0, major: 1 });
          yield* device.release();
        },
      },
      {
        when: "retry where it is not allowed",
        schedule: "sequential",
        executor: "model",
        provokes: "contract",
        kinds: "one",
        *program() {
          const device = yield* ownDevice({
            ops: () => ({ mkwrite: () => ({ kind: "retry", until: "now" }) }),
          });
          const { address } = yield* device.mapped();
          yield* user.load(address);
          mustBe("a store that mkwrite answers with retry", yield* user.store(address, 1), SIGBUS);
          yield* device.release();
        },
      },
      ...retryingHandlers,
    ],
  },
  {
    id: "FR-08",
    level: "capability",
    owner: ["core"],
    rule: "a signal MUST be taken at once by a thread whose fault waits, and the access MUST then start again; without a signal the fault is tried again by itself",
    source: "arch/x86/mm/fault.c do_user_addr_fault, fault_signal_pending",
    cases: [
      {
        when: "",
        schedule: "sequential",
        excluded: waitsAtNoGate,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* user.countSignal("SIGUSR1");
          yield* gateOf(subject).close();
          let seen: unknown;
          const waiter = yield* user.thread(function* () {
            seen = yield* user.load(address);
          }, "waiter");
          yield* user.settle();
          for (const times of [1, 2]) {
            yield* user.kill(waiter, "SIGUSR1");
            yield* user.settle();
            mustBe("signals taken while the gate is closed", yield* user.signalsTaken("SIGUSR1"), times);
            mustBe("the thread after the signal", yield* user.stateOf(waiter), "blocked");
          }
          yield* gateOf(subject).open();
          yield* user.join(waiter);
          mustBe("the load that was interrupted", seen, subject.markOf(0));
        },
      },
    ],
  },
  {
    id: "FR-12",
    level: "required",
    owner: ["core", "strategy"],
    rule: "two threads that fault on one page MUST make one entry; the reference of the one that comes late MUST go back, and both MUST go on",
    source: "mm/memory.c finish_fault, do_read_fault",
    cases: [
      {
        when: "what they see",
        schedule: "racy",
        *program({ subject }) {
          const before = yield* residentPages();
          const address = yield* succeed("mmap", subject.map());
          const other = yield* user.thread(function* () {
            mustBe("a load by the other", yield* user.load(address), subject.markOf(0));
          }, "other");
          mustBe("a load", yield* user.load(address), subject.markOf(0));
          yield* user.join(other);
          const { populate, countsPages } = subject.supports;
          const mapped = populate === "eager" ? existingPages(subject).length : 1;
          mustBe("rss in pages", (yield* residentPages()) - before, countsPages ? mapped : 0);
        },
      },
      {
        when: "the references that they hold",
        schedule: "racy",
        executor: "model",
        *program({ subject }) {
          const before = yield* references();
          const address = yield* succeed("mmap", subject.map());
          const other = yield* user.thread(function* () {
            yield* user.store(address, subject.markOf(0));
          }, "other");
          yield* user.load(address);
          yield* user.join(other);
          const { populate, countsPages } = subject.supports;
          const mapped = populate === "eager" ? existingPages(subject).length : 1;
          mustBe("the references of the mapping", (yield* references()) - before, countsPages ? mapped : 0);
        },
      },
      ...meetingCases,
    ],
  },
];
