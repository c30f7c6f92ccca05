import { EEXIST, EFAULT, EINVAL, type UserAddress, VM_MIXEDMAP, VM_PFNMAP } from "@nopage/core";
import { must, mustBe, mustFail, mustReach, succeed } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import { fillingLeavesCase } from "../eager/large-leaves.ts";
import type { AnyLaw } from "../law.ts";
import { areaAt, mustHaveFaulted } from "../support/accounts.ts";
import { existingPages } from "../support/existing-pages.ts";
import { countsOf } from "../support/hook-counts.ts";
import { mapPlanted, plantDevice, setOps } from "../support/planted-device.ts";
import { mustShowAgain } from "../support/shown-pages.ts";
import { countsItsPages, countsNothing } from "./bare-frames.ts";
import { debuggerCases } from "./debugger.ts";

const PATH = "/dev/law";

/** Who may reach bare frames by other ways than a load or store, and what advice does to them. */
export const reachLaws: readonly AnyLaw[] = [
  {
    id: "PF-07",
    level: "capability",
    owner: ["core", "driver"],
    rule: "get_user_pages of VM_IO or VM_PFNMAP MUST be EFAULT without asking the handler, of a special entry under VM_MIXEDMAP EEXIST; a counted page MUST be had",
    source: "mm/gup.c check_vma_flags, follow_pfn_pte; CVE-2021-22543",
    cases: [
      {
        when: "process_vm_readv of bare frames",
        schedule: "sequential",
        excluded: countsItsPages,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          const before = (yield* countsOf(subject)).faults;
          const flags = (yield* areaAt(address)).flags;
          must(flags.includes("io") || flags.includes("pf"), `bare frames have only ${flags.join(" ")}`);
          mustBe("process_vm_readv", yield* user.processVmRead(address, 4), -EFAULT);
          mustReach("a load", yield* user.load(address));
          mustBe("process_vm_readv after a touch", yield* user.processVmRead(address, 4), -EFAULT);
          if (subject.counts === undefined) return;
          const asked = (yield* countsOf(subject)).faults - before;
          mustBe("how often the handler was asked", asked, subject.supports.populate === "lazy" ? 1 : 0);
        },
      },
      {
        when: "process_vm_readv of counted pages",
        schedule: "sequential",
        excluded: countsNothing,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          for (const page of existingPages(subject)) {
            const seen = yield* user.processVmRead(address + page * subject.pageSize, 4);
            mustBe(`page ${page}`, wordOf(seen), subject.markOf(page));
          }
        },
      },
      {
        when: "a special entry under VM_MIXEDMAP",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program({ subject: { pageSize } }) {
          const device = yield* plantDevice(PATH, 1, (_inside, own) => ({
            *mmap(_file, area) {
              area.flags |= VM_MIXEDMAP;
              return setOps(area, { nopagePfn: () => ({ kind: "pfn", pfn: own.frame(0) }) });
            },
          }));
          const address = yield* succeed("mmap", mapPlanted(device, pageSize));
          const answer = yield* user.kernel(function* ({ kernel, thread }) {
            const request = { access: "read", hold: "pin", permission: "checked" } as const;
            return yield* kernel.user.getPages(thread.mm, address as UserAddress, 1, request);
          });
          mustBe("get_user_pages", answer, -EEXIST);
        },
      },
      {
        when: "a device that is to hold them",
        schedule: "sequential",
        executor: "model",
        about: ["pinning"],
        *program({ subject: { pageSize }, pinner }) {
          const device = yield* plantDevice(PATH, 1, (_inside, own) => ({
            *mmap(_file, area) {
              area.flags |= VM_PFNMAP;
              return setOps(area, { nopagePfn: () => ({ kind: "pfn", pfn: own.frame(0) }) });
            },
          }));
          const address = yield* succeed("mmap", mapPlanted(device, pageSize));
          mustReach("a load", yield* user.load(address));
          if (pinner === undefined) return;
          const pinned = yield* pinner.pin(address, 1, "read");
          if (typeof pinned === "number") {
            mustFail("holding a bare frame", pinned, EFAULT);
            return;
          }
          mustFail("what the device reads of a bare frame", yield* pinner.deviceRead(pinned, 0), EFAULT);
          yield* pinner.unpin(pinned);
        },
      },
    ],
  },
  {
    id: "PF-08",
    level: "required",
    owner: ["strategy", "core"],
    rule: "a debugger MUST reach bare frames through the access hook alone, which MUST look for the entry itself and fail without one, and for a write without the right to it; counted pages it MUST reach, whether or not the process may",
    source: "mm/memory.c __access_remote_vm, generic_access_phys; mm/gup.c check_vma_flags (FOLL_FORCE)",
    cases: [
      {
        when: "bare frames of a strategy",
        schedule: "sequential",
        excluded: countsItsPages,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          mustReach("a load", yield* user.load(address));
          const seen = yield* user.readProcMem(address, 4);
          if (seen.length > 0) mustBe("what the debugger sees", wordOf(seen), subject.markOf(0));
        },
      },
      {
        when: "counted pages of a strategy",
        schedule: "sequential",
        excluded: countsNothing,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          mustBe("what the debugger sees", wordOf(yield* user.readProcMem(address, 4)), subject.markOf(0));
          const end = address + subject.pages * subject.pageSize;
          const left = (yield* user.readProcMem(end, 4)).length;
          mustBe("what the debugger sees where nothing is mapped, in bytes", left, 0);
        },
      },
      {
        when: "with and without the hook, with and without an entry",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program({ subject: { pageSize, markOf } }) {
          for (const hook of ["with", "without"] as const) {
            const device = yield* plantDevice(`${PATH}-${hook}`, 1, ({ kernel }, own) => ({
              *mmap(_file, area) {
                area.flags |= VM_PFNMAP;
                return setOps(area, {
                  nopagePfn: () => ({ kind: "pfn", pfn: own.frame(0) }),
                  ...(hook === "with" && {
                    access: (of, at, buffer, direction) =>
                      kernel.mappings.accessPhys(of, at, buffer, direction),
                  }),
                });
              },
            }));
            const address = yield* succeed("mmap", mapPlanted(device, pageSize));
            const untouched = yield* user.readProcMem(address, 4);
            mustBe(`bytes of an untouched page, ${hook} the hook`, untouched.length, 0);
            mustReach("a load", yield* user.load(address));
            const touched = yield* user.readProcMem(address, 4);
            if (hook === "with") mustBe("what the hook shows", wordOf(touched), markOf(0));
            else mustBe("bytes without the hook", touched.length, 0);
          }
        },
      },
      ...debuggerCases,
    ],
  },
  {
    id: "PF-09",
    level: "required",
    owner: ["core"],
    rule: "of VM_PFNMAP MADV_DONTNEED, and of any bare frames MADV_POPULATE, MADV_DOFORK under VM_IO and MADV_DODUMP MUST be EINVAL; MADV_DONTFORK, msync, mincore and mlock MUST succeed, and pagemap shows nothing of VM_PFNMAP",
    source:
      "mm/madvise.c madvise_dontneed_free, madvise_populate, madvise_vma_behavior; mm/mlock.c mlock_fixup; mm/pagewalk.c walk_page_test",
    cases: [
      {
        when: "bare frames",
        schedule: "sequential",
        excluded: countsItsPages,
        *program({ subject }) {
          const length = subject.pages * subject.pageSize;
          const address = yield* succeed("mmap", subject.map());
          for (const page of existingPages(subject)) yield* subject.reach(address + page * subject.pageSize);
          const { flags } = yield* areaAt(address);
          const isPfnMap = flags.includes("pf");
          const { locked } = yield* user.memoryStatus();
          const answers = [
            ["dontneed", isPfnMap ? -EINVAL : 0],
            ["populate-read", -EINVAL],
            ["populate-write", -EINVAL],
            ["dofork", flags.includes("io") ? -EINVAL : 0],
            ["dodump", -EINVAL],
            ["dontfork", 0],
          ] as const;
          for (const [advice, answer] of answers) {
            mustBe(`madvise ${advice}`, yield* user.madvise(address, length, advice), answer);
          }
          mustBe("msync", yield* user.msync(address, length), 0);
          must(Array.isArray(yield* user.mincore(address, length)), "mincore fails");
          mustBe("mlock", yield* user.mlock(address, length), 0);
          mustBe("VmLck", (yield* user.memoryStatus()).locked, locked);
          mustBe("munlock", yield* user.munlock(address, length), 0);
          const isShown = (yield* user.pagemap(address, subject.pages)).includes(true);
          if (isPfnMap) must(!isShown, "pagemap shows frames of VM_PFNMAP");
          mustBe("the first page afterwards", yield* subject.reach(address), subject.markOf(0));
        },
      },
      {
        when: "counted pages",
        schedule: "sequential",
        excluded: ({ subject }) => {
          if (!subject.supports.countsPages) return "it maps no counted pages";
          return subject.holes.length > 0 ? "it has holes, which cannot be populated" : undefined;
        },
        *program({ subject }) {
          const length = subject.pages * subject.pageSize;
          const address = yield* succeed("mmap", subject.map());
          const advices = ["populate-read", "populate-write", "dontneed", "dontfork", "dofork"] as const;
          const { flags } = yield* areaAt(address);
          for (const advice of advices) {
            if (flags.includes("io")) continue;
            mustBe(`madvise ${advice}`, yield* user.madvise(address, length, advice), 0);
          }
          yield* mustShowAgain(subject, "the first page afterwards", { address, first: 0, pages: 1 });
        },
      },
    ],
  },
  {
    id: "PF-10",
    level: "required",
    owner: ["strategy"],
    rule: "a fault may fill in the whole area, but MUST NOT map over what another has mapped meanwhile; whoever comes second MUST find its page",
    source: "drivers/vfio/pci/vfio_pci_core.c vfio_pci_mmap_fault; commit 6a45ece4c9af",
    cases: [
      {
        when: "threads that touch different pages",
        schedule: "racy",
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          const [first = 0, second = first] = existingPages(subject);
          const touches = function* (page: number) {
            const seen = yield* subject.reach(address + page * subject.pageSize);
            mustBe(`page ${page}`, seen, subject.markOf(page));
          };
          const other = yield* user.thread(() => touches(second), "second");
          yield* touches(first);
          yield* user.join(other);
          yield* touches(second);
        },
      },
      {
        when: "threads that waited for the same gate",
        schedule: "racy",
        excluded: ({ subject: { gate, supports } }) => {
          if (gate === undefined) return "it has no gate";
          return supports.whileRevoked === "wait" ? undefined : "nobody waits at its gate";
        },
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          const [first = 0, second = first] = existingPages(subject);
          yield* subject.gate?.close() ?? nothing();
          const threads = [];
          for (const page of [first, second]) {
            const thread = user.thread(function* () {
              const seen = yield* subject.reach(address + page * subject.pageSize);
              mustBe(`page ${page}`, seen, subject.markOf(page));
            }, `toucher of page ${page}`);
            threads.push(yield* thread);
          }
          yield* user.settle();
          yield* subject.gate?.open() ?? nothing();
          for (const thread of threads) yield* user.join(thread);
        },
      },
      {
        when: "a handler that fills in what is missing",
        schedule: "racy",
        executor: "model",
        kinds: "one",
        *program({ subject: { pageSize, markOf } }) {
          const device = yield* plantDevice(PATH, 4, ({ kernel }, own) => ({
            *mmap(_file, area) {
              area.flags |= VM_PFNMAP;
              return setOps(area, {
                *nopagePfn({ area: touched }) {
                  const { start: address, pages } = touched;
                  const run = { address, pfn: own.frame(0), pages, leaves: "single" } as const;
                  const result = yield* kernel.mappings.remapMissing(touched, run);
                  return { kind: result === 0 ? "installed" : "sigbus" };
                },
              });
            },
          }));
          const address = yield* succeed("mmap", mapPlanted(device, 4 * pageSize));
          const other = yield* user.thread(function* () {
            mustBe("the last page", yield* user.load(address + 3 * pageSize), markOf(3));
          }, "second");
          mustBe("the first page", yield* user.load(address), markOf(0));
          yield* user.join(other);
          const before = yield* user.faults();
          for (let page = 0; page < 4; page++) yield* user.load(address + page * pageSize);
          yield* mustHaveFaulted("touching everything once more", before, { minor: 0, major: 0 });
        },
      },
      fillingLeavesCase,
    ],
  },
];

/** The first word of bytes that were read; the answer itself where there are none. */
function wordOf(bytes: Uint8Array | number): number {
  if (typeof bytes === "number" || bytes.length < 4) return typeof bytes === "number" ? bytes : -EFAULT;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

function* nothing() {}
