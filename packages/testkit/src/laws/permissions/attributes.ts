import {
  dumpedAreas,
  EINVAL,
  type Mm,
  PTE_UNCACHED,
  PTE_WRITE_COMBINING,
  VM_DONTCOPY,
  VM_IO,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import { mustBe, mustFail, SIGSEGV_MAPERR, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw } from "../law.ts";
import { ownDevice } from "../support/own-device.ts";
import { mapPlanted, plantDevice } from "../support/planted-device.ts";

/** The page of every own device that is touched. */
const PAGES = 4;

/** How the entry at an address says that its memory is cached. */
function* cacheModeAt(address: number): Steps<string> {
  return yield* user.kernel(function* ({ thread: { mm } }) {
    return cacheModeOf(mm.table.entryOf(Math.floor(address / mm.pageSize)));
  });
}

function cacheModeOf(entry: number): string {
  const bits = entry & (PTE_UNCACHED | PTE_WRITE_COMBINING);
  if (bits === 0) return "cached";
  return bits === PTE_UNCACHED ? "uncached" : "write-combining";
}

/** How the area at an address, its entry and the memory behind it are cached, which must be one and the same. */
function* mustBeCachedAsItsMemory(what: string, address: number): Steps<void> {
  yield* user.kernel(function* ({ thread: { mm } }) {
    const area = mm.areas.find(address);
    const entry = mm.table.entryOf(Math.floor(address / mm.pageSize));
    const expected = area?.backing?.cache;
    mustBe(`the cache mode of the area ${what}`, area?.cache, expected);
    mustBe(`the cache mode of an entry ${what}`, cacheModeOf(entry), expected);
  });
}

/** Whether a core dump of the calling process would hold the memory at an address. */
function* isDumped(address: number): Steps<boolean> {
  return yield* user.kernel(function* ({ thread: { mm } }) {
    return dumpedAreas(mm).some(({ start, end }) => address >= start && address < end);
  });
}

/** Cache attributes, mappings that belong to one process, core dumps. */
export const attributeLaws: readonly AnyLaw[] = [
  {
    id: "PE-04",
    level: "model-only",
    owner: ["strategy"],
    rule: "memory MUST be mapped with its own cache attributes, and mprotect MUST leave them as they are",
    source:
      "include/linux/pgtable.h pgprot_modify; drivers/vfio/pci/vfio_pci_core.c vfio_pci_core_mmap (pgprot_noncached)",
    cases: [
      {
        when: "",
        schedule: "sequential",
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* user.store(address + 8, 1);
          yield* mustBeCachedAsItsMemory("after mmap", address);
          yield* succeed("mprotect", user.mprotect(address, subject.pageSize, VM_READ));
          yield* user.load(address);
          yield* mustBeCachedAsItsMemory("after mprotect", address);
          yield* succeed("mprotect", user.mprotect(address, subject.pageSize, VM_READ | VM_WRITE));
          yield* user.store(address + 8, 2);
          yield* mustBeCachedAsItsMemory("after mprotect back", address);
        },
      },
      ...(["uncached", "write-combining"] as const).map((mode) => ({
        when: `a driver whose memory is ${mode}`,
        schedule: "sequential" as const,
        kinds: "one" as const,
        *program({
          subject: { pageSize },
        }: {
          readonly subject: { readonly pageSize: number };
        }): Steps<void> {
          const device = yield* plantDevice("/dev/law", 1, ({ kernel }, own) => ({
            *mmap(_file, area) {
              area.cache = mode;
              const request = { address: area.start, pfn: own.frame(0), pages: 1, leaves: "single" } as const;
              return yield* kernel.mappings.remapPfnRange(area, request);
            },
          }));
          const address = yield* succeed("mmap", mapPlanted(device, pageSize));
          mustBe("the cache mode of its entry", yield* cacheModeAt(address), mode);
          yield* succeed("mprotect", user.mprotect(address, pageSize, VM_READ));
          mustBe("the cache mode of its entry after mprotect", yield* cacheModeAt(address), mode);
        },
      })),
    ],
  },
  {
    id: "PE-05",
    level: "model-only",
    owner: ["driver", "core"],
    rule: "a mapping that is good for one process only MUST be refused to others and MUST NOT be copied by fork",
    source: "drivers/android/binder.c binder_mmap; kernel/fork.c dup_mmap (VM_DONTCOPY)",
    cases: [
      {
        when: "",
        schedule: "sequential",
        *program({ subject }) {
          let owner: Mm | undefined;
          const device = yield* ownDevice({
            mmap(area) {
              owner ??= area.mm;
              if (area.mm !== owner) return -EINVAL;
              area.flags |= VM_DONTCOPY;
              return 0;
            },
          });
          const { address } = yield* device.mapped();
          mustBe("a load", yield* user.load(address), subject.markOf(0));
          const child = yield* user.fork(function* () {
            mustBe("a load by the child", yield* user.load(address), SIGSEGV_MAPERR);
            mustFail("mmap by the child", yield* device.map(), EINVAL);
          });
          if (typeof child !== "number") yield* user.join(child);
          mustBe("a load after fork", yield* user.load(address), subject.markOf(0));
          yield* user.munmap(address, PAGES * subject.pageSize);
          yield* device.release();
        },
      },
    ],
  },
  {
    id: "PE-06",
    level: "model-only",
    owner: ["core"],
    rule: "an area with VM_IO MUST be left out of core dumps whatever VM_DONTDUMP says",
    source: "fs/coredump.c vma_dump_size",
    cases: [
      {
        when: "the object",
        schedule: "sequential",
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* user.store(address + 8, 1);
          // No file of a device is memory that a dump would hold when it is shared.
          mustBe("that the object is in a core dump", yield* isDumped(address), false);
        },
      },
      ...([VM_IO, 0] as const).map(
        (flag) =>
          ({
            when: flag === VM_IO ? "private copies in an area with VM_IO" : "private copies in one without",
            schedule: "sequential",
            *program({ subject }: { readonly subject: { readonly pageSize: number } }) {
              const device = yield* ownDevice({
                mmap(area) {
                  area.flags |= flag;
                  return 0;
                },
              });
              const { address } = yield* device.mapped({ sharing: "private" });
              yield* user.store(address, 1);
              mustBe("that the private copies are in a core dump", yield* isDumped(address), flag === 0);
              yield* user.munmap(address, PAGES * subject.pageSize);
              yield* device.release();
            },
          }) as const,
      ),
    ],
  },
];
