import { VM_READ } from "@nopage/core";
import {
  inWords,
  LawBroken,
  must,
  mustBe,
  SIGBUS,
  SIGSEGV_ACCERR,
  SIGSEGV_MAPERR,
  succeed,
} from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw, Stage } from "../law.ts";
import { A_WHILE, hasNoGate, Moment } from "../support/taking-away.ts";
import { loggedRemovalCase } from "./logged-removal.ts";

const READ_WRITE = 3;
const WORD = 7;

/** A load that must end in one of some ways: all of them at any moment, and only `late` once `isOver` says so. */
function* touch(
  address: number,
  always: readonly unknown[],
  late: unknown,
  isOver: () => boolean,
): Steps<void> {
  const wasOver = isOver();
  const seen = inWords(yield* user.load(address));
  const allowed = (wasOver ? [late] : [...always, late]).map(inWords);
  if (!allowed.includes(seen)) {
    const when = wasOver ? "after the removal" : "during the removal";
    throw new LawBroken(`a load ${when} ends in ${seen}, and must end in ${allowed.join(" or ")}`);
  }
}

/** Counted pages are held until the TLBs were flushed, so that an munmap may leave their area before that. */
function countsPages({ subject }: Stage): string | undefined {
  return subject.supports.countsPages
    ? "its pages are counted, and held until the TLBs are flushed"
    : undefined;
}

/** In which order translations go away. */
export const orderLaws: readonly AnyLaw[] = [
  {
    id: "RV-01",
    level: "required",
    owner: ["core"],
    rule: "a removal MUST clear the entry, then every CPU's TLB, and only then free the page: once it is over no CPU reaches it",
    source: "include/asm-generic/tlb.h; mm/mmu_gather.c",
    cases: [
      {
        when: "what two CPUs have a translation of",
        schedule: "sequential",
        machine: { cpus: 2 },
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          const at = address + 8;
          const other = yield* user.thread(function* () {
            mustBe("a store by the other CPU", yield* user.store(at, WORD), undefined);
            yield* user.sleep(2 * A_WHILE);
            mustBe("its store after mprotect", yield* user.store(at, 0), SIGSEGV_ACCERR);
            mustBe("its load after mprotect", yield* user.load(at), WORD);
            yield* user.sleep(2 * A_WHILE);
            mustBe("its load after munmap", yield* user.load(at), SIGSEGV_MAPERR);
          }, "other");
          yield* user.sleep(A_WHILE);
          mustBe("a store", yield* user.store(at, WORD), undefined);
          yield* succeed("mprotect", user.mprotect(address, subject.pageSize, VM_READ));
          mustBe("a store after mprotect", yield* user.store(at, 0), SIGSEGV_ACCERR);
          yield* user.sleep(2 * A_WHILE);
          yield* succeed("munmap", user.munmap(address, subject.pages * subject.pageSize));
          mustBe("a load after munmap", yield* user.load(at), SIGSEGV_MAPERR);
          yield* user.join(other);
        },
      },
      {
        when: "munmap of private memory",
        schedule: "racy",
        *program({ subject }) {
          const length = subject.pageSize;
          const request = { length, protection: READ_WRITE, sharing: "private" } as const;
          const address = yield* succeed("mmap", user.mmap(request));
          yield* user.store(address, WORD);
          let isOver = false;
          const sibling = yield* user.thread(function* () {
            for (let turn = 0; turn < 3; turn++) yield* touch(address, [WORD], SIGSEGV_MAPERR, () => isOver);
          });
          yield* succeed("munmap", user.munmap(address, length));
          isOver = true;
          yield* user.join(sibling);
        },
      },
      {
        when: "munmap of the object",
        schedule: "racy",
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          let isOver = false;
          const sibling = yield* user.thread(function* () {
            const mark = subject.markOf(0);
            for (let turn = 0; turn < 3; turn++) yield* touch(address, [mark], SIGSEGV_MAPERR, () => isOver);
          });
          yield* succeed("munmap", user.munmap(address, subject.pages * subject.pageSize));
          isOver = true;
          yield* user.join(sibling);
        },
      },
      {
        when: "a write protection",
        schedule: "racy",
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* user.store(address + 8, 1);
          let isOver = false;
          const sibling = yield* user.thread(function* () {
            for (let turn = 0; turn < 2; turn++) {
              const wasOver = isOver;
              const stored = yield* user.store(address + 8, 2);
              must(
                !wasOver || stored !== undefined,
                "a store gets through after mprotect took the right away",
              );
            }
          });
          yield* succeed("mprotect", user.mprotect(address, subject.pageSize, 1));
          isOver = true;
          yield* user.join(sibling);
        },
      },
      {
        when: "the device is pulled out",
        schedule: "racy",
        excluded: ({ subject }) => (subject.remove === undefined ? "it cannot be pulled out" : undefined),
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          let isOver = false;
          const sibling = yield* user.thread(function* () {
            const mark = subject.markOf(0);
            for (let turn = 0; turn < 3; turn++) yield* touch(address, [mark], SIGBUS, () => isOver);
          });
          yield* subject.remove?.() ?? user.settle();
          isOver = true;
          yield* user.join(sibling);
        },
      },
      loggedRemovalCase,
    ],
  },
  {
    id: "RV-02",
    level: "required",
    owner: ["core"],
    rule: "whoever takes uncounted frames away MUST NOT be told that nobody reaches it while an munmap that is under way still has translations of them in a TLB",
    source: "include/asm-generic/tlb.h tlb_end_vma (CVE-2022-39188)",
    cases: [
      {
        when: "",
        schedule: "racy",
        machine: { cpus: 3 },
        excluded: (stage) => hasNoGate(stage) ?? countsPages(stage),
        *program({ subject }) {
          const moment = new Moment();
          const address = yield* succeed("mmap", subject.map({ pages: 1 }));
          const sibling = yield* user.thread(function* () {
            yield* moment.touch(subject, address, 0);
            yield* user.sleep(A_WHILE);
            yield* moment.touch(subject, address, 0, [SIGSEGV_MAPERR]);
            yield* moment.touch(subject, address, 0, [SIGSEGV_MAPERR]);
          }, "toucher");
          const other = yield* user.thread(function* () {
            yield* user.sleep(A_WHILE);
            yield* succeed("munmap", user.munmap(address, subject.pageSize));
          }, "unmapper");
          // By now the other CPUs have the translation, and everybody goes on at once.
          yield* user.sleep(A_WHILE);
          yield* moment.takeAway(subject);
          yield* user.join(sibling);
          yield* user.join(other);
        },
      },
    ],
  },
  {
    id: "RV-03",
    level: "required",
    owner: ["core"],
    rule: "a move MUST flush the old range before others may find its entries at the new one: what is taken away or cut off is reached at neither place",
    source:
      "mm/mremap.c move_ptes (CVE-2018-18281), move_page_tables under the reverse map's lock (CVE-2022-41222)",
    cases: [
      {
        when: "the object is taken away",
        schedule: "racy",
        machine: { cpus: 3 },
        excluded: hasNoGate,
        *program({ subject }) {
          const length = subject.pageSize;
          const moment = new Moment();
          const address = yield* succeed("mmap", subject.map({ pages: 1 }));
          const newAddress = yield* succeed(
            "mmap of a place to move to",
            user.mmap({ length, protection: 1, sharing: "private" }),
          );
          yield* succeed("munmap of it", user.munmap(newAddress, length));
          const sibling = yield* user.thread(function* () {
            yield* moment.touch(subject, address, 0);
            yield* user.sleep(A_WHILE);
            yield* moment.touch(subject, address, 0, [SIGSEGV_MAPERR]);
            yield* moment.touch(subject, newAddress, 0, [SIGSEGV_MAPERR]);
          }, "toucher");
          const mover = yield* user.thread(function* () {
            yield* user.sleep(A_WHILE);
            const size = { oldLength: length, newLength: length };
            yield* succeed("mremap", user.mremap({ address, ...size, moving: "may-move", newAddress }));
          }, "mover");
          // By now the other CPUs have the translation, and everybody goes on at once.
          yield* user.sleep(A_WHILE);
          yield* moment.takeAway(subject);
          yield* user.join(sibling);
          yield* user.join(mover);
          yield* moment.touch(subject, newAddress, 0);
        },
      },
      {
        when: "a file is cut off",
        schedule: "racy",
        *program({ subject }) {
          const { pageSize } = subject;
          const request = { length: pageSize, protection: READ_WRITE, sharing: "shared" } as const;
          const descriptor = yield* succeed("memfd_create", user.memfd("moved"));
          yield* succeed("ftruncate", user.ftruncate(descriptor, pageSize));
          const address = yield* succeed("mmap", user.mmap({ ...request, descriptor }));
          const newAddress = yield* succeed("mmap of a place to move to", user.mmap(request));
          yield* succeed("munmap of it", user.munmap(newAddress, pageSize));
          // From now on this CPU has the translation, which the move on another CPU has to flush.
          yield* user.store(address, WORD);
          const mover = yield* user.thread(function* () {
            const size = { oldLength: pageSize, newLength: pageSize };
            yield* succeed("mremap", user.mremap({ address, ...size, moving: "may-move", newAddress }));
          }, "mover");
          yield* succeed("ftruncate", user.ftruncate(descriptor, 0));
          const seen = yield* user.load(address);
          must(seen !== WORD, "a load from the old place reaches the page after it was cut off");
          yield* user.join(mover);
          mustBe(
            "a load from the new place after the file was cut off",
            yield* user.load(newAddress),
            SIGBUS,
          );
          mustBe("a load from the old place", yield* user.load(address), SIGSEGV_MAPERR);
        },
      },
    ],
  },
  {
    id: "RV-09",
    level: "model-only",
    owner: ["core"],
    rule: "when a notifier hears the end of an invalidation the pages need not be free yet: they MUST be freed only after the TLBs were flushed, which comes later",
    source: "mm/memory.c zap_page_range_single, unmap_vmas (6.1): range_end before tlb_finish_mmu",
    cases: (["madvise", "munmap"] as const).map((call) => ({
      when: call,
      schedule: "sequential",
      *program({ subject }) {
        const length = subject.pageSize;
        const request = { length, protection: READ_WRITE, sharing: "private" } as const;
        const address = yield* succeed("mmap", user.mmap(request));
        yield* user.store(address, WORD);
        const references: number[] = [];
        const frame = yield* user.kernel(function* ({ thread }) {
          const [pfn] = yield* thread.proc().pagemap(address, 1);
          return pfn ?? -1;
        });
        const notifier = yield* user.kernel(function* ({ machine, kernel, thread }) {
          const { refcount } = machine.memory.frames;
          const listening = {
            name: "listener",
            invalidateRangeEnd: () => void references.push(refcount[frame] ?? 0),
          };
          yield* kernel.mappings.registerNotifier(thread.mm, listening);
          return listening;
        });
        yield* succeed(
          call,
          call === "munmap" ? user.munmap(address, length) : user.madvise(address, length, "dontneed"),
        );
        const left = yield* user.kernel(function* ({ machine, kernel, thread }) {
          yield* kernel.mappings.unregisterNotifier(thread.mm, notifier);
          return machine.memory.frames.refcount[frame] ?? 0;
        });
        mustBe(`the references of the page at each end that ${call} tells of`, references, [1]);
        mustBe(`the references of the page after ${call}`, left, 0);
      },
    })),
  },
];
