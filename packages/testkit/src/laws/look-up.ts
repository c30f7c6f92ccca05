import { EINVAL, type Page } from "@nopage/core";
import { must, mustBe, mustReach, SIGBUS, succeed } from "../program/expect.ts";
import type { Steps } from "../program/operation.ts";
import { user } from "../program/user.ts";
import { type OddMemory, SECRET, type Subject } from "../subject/subject.ts";
import { countsNothing } from "./bare-frames/bare-frames.ts";
import { memoryClaims } from "./claims.ts";
import type { AnyLaw, LawCase } from "./law.ts";
import { references } from "./support/accounts.ts";
import { existingPages } from "./support/existing-pages.ts";
import { mapPlanted, plantDevice, setOps } from "./support/planted-device.ts";

/** F. Memory from kmalloc, vmalloc and the DMA layer, looked up page by page. */
export const lookUpLaws: readonly AnyLaw[] = [
  {
    id: "LK-01",
    level: "required",
    owner: ["strategy"],
    rule: "of memory that is one run the page MUST be the first one plus the offset, each referenced and given back by itself; a block whose later pages have no count MUST NOT be shown as pages",
    source: "comment of mm/memory.c vm_insert_page; virt/kvm/kvm_main.c hva_to_pfn_remapped",
    cases: [
      {
        when: "one page after the other, last first",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          for (const page of [...existingPages(subject)].reverse()) {
            mustBe(`page ${page}`, yield* subject.reach(address + page * pageSize), subject.markOf(page));
          }
          for (const page of existingPages(subject)) {
            mustBe(`munmap of page ${page}`, yield* user.munmap(address + page * pageSize, pageSize), 0);
            const [next] = existingPages(subject).filter((other) => other > page);
            if (next === undefined) continue;
            mustBe(`page ${next}`, yield* subject.reach(address + next * pageSize), subject.markOf(next));
          }
        },
      },
      {
        when: "references of one page after the other",
        schedule: "sequential",
        executor: "model",
        excluded: countsNothing,
        *program({ subject }) {
          const { pageSize } = subject;
          const before = yield* references();
          const address = yield* succeed("mmap", subject.map());
          const there = existingPages(subject);
          for (const page of there) yield* subject.reach(address + page * pageSize);
          for (const [index, page] of there.entries()) {
            yield* user.munmap(address + page * pageSize, pageSize);
            const left = there.length - index - 1;
            mustBe(`the references left after munmap of page ${page}`, (yield* references()) - before, left);
          }
        },
      },
      refusing("bare-block", "a block that is neither compound nor split"),
    ],
  },
  {
    id: "LK-02",
    level: "required",
    owner: ["strategy"],
    rule: "virtual neighbours need not be physical ones: every page MUST be looked up by itself",
    source: "uio_vma_fault; mail of 1997",
    cases: [
      {
        when: "",
        schedule: "sequential",
        about: ["mapping", "mirroring"],
        *program({ subject }) {
          yield* mustShowAll(subject, yield* succeed("mmap", subject.map()));
        },
      },
    ],
  },
  {
    id: "LK-03",
    level: "required",
    owner: ["strategy", "core"],
    rule: "memory of a slab MUST NOT be mapped as a page: the helper that inserts pages refuses it with EINVAL, and a strategy has to refuse it itself, as the fault path does not look",
    source: "mm/memory.c validate_page_before_insert, finish_fault; Documentation/driver-api/uio-howto.rst",
    cases: [
      refusing("slab", "an object of a slab"),
      {
        when: "the helper that inserts pages",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program({ subject: { pageSize } }) {
          const device = yield* plantDevice("/dev/law", 1, ({ kernel, machine }) => ({
            *mmap(_file, area) {
              const { kmalloc, directMap } = machine.memory;
              const object = kmalloc.kmalloc(pageSize / 2);
              const pfn = object === undefined ? undefined : directMap.pfnOf(object);
              if (object === undefined || pfn === undefined) throw new Error("the law is out of memory");
              const answer = yield* kernel.mappings.insertPage(area, area.start, pfn as Page);
              mustBe("vm_insert_page of a slab's page", answer, -EINVAL);
              kmalloc.kfree(object);
              return setOps(area, {});
            },
          }));
          const address = yield* succeed("mmap", mapPlanted(device, pageSize));
          mustBe("a load from what was refused", yield* user.load(address), SIGBUS);
        },
      },
    ],
  },
  {
    id: "LK-04",
    level: "untested",
    owner: ["core"],
    rule: "remap_vmalloc_range MUST map only memory that was allocated for user space, within its area, and MUST set VM_DONTEXPAND and VM_DONTDUMP",
    source: "mm/vmalloc.c remap_vmalloc_range_partial",
    reason:
      "the kernel interface of the model has no remap_vmalloc_range: memory from vmalloc is shown page by page at the first touch",
  },
  {
    id: "LK-05",
    level: "required",
    owner: ["strategy", "driver"],
    rule: "whole pages are shown: what lies behind the object's last byte MUST read zero, and what is somebody else's MUST NOT be seen",
    source: "sound/core/memalloc.c (PAGE_ALIGN); drivers/uio/uio.c",
    cases: [
      {
        when: "the rest of each page",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          for (const page of existingPages(subject)) {
            for (const offset of [4, 8, pageSize / 4, pageSize / 2, pageSize - 4]) {
              const seen = yield* subject.reach(address + page * pageSize + offset);
              mustBe(`byte ${offset} of page ${page}`, seen, 0);
            }
          }
        },
      },
      {
        when: "a buffer that begins within a page",
        schedule: "sequential",
        provokes: [],
        excluded: cannotShowOdd,
        *program({ subject }) {
          const address = yield* subject.mapOdd?.("unaligned") ?? none();
          if (address < 0) return;
          for (let offset = 0; offset < subject.pageSize; offset += subject.pageSize / 8) {
            const seen = yield* user.load(address + offset);
            must(seen !== SECRET, `the neighbour's data is seen at byte ${offset} of the mapping`);
          }
        },
      },
    ],
  },
  {
    id: "LK-06",
    level: "required",
    owner: ["strategy"],
    rule: "a hole, a page past the end, or a buffer that was freed MUST end in SIGBUS and MUST NOT change the page table; memory that is not claimed to be shown, of another kind or with a hole, MUST be refused at mmap",
    source: "snd_pcm_mmap_data_fault; mail of 1997",
    cases: [
      {
        when: "holes",
        schedule: "sequential",
        excluded: ({ subject }) => (subject.holes.length === 0 ? "the object has no holes" : undefined),
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          for (const hole of subject.holes) yield* mustBeHole(subject, `hole ${hole}`, address, hole);
        },
      },
      {
        when: "what mremap has grown past the end",
        schedule: "sequential",
        excluded: ({ subject: { supports } }) => (supports.mremapGrow ? undefined : "mremap may not grow it"),
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const old = yield* succeed("mmap", subject.map());
          const oldLength = pages * pageSize;
          const newLength = oldLength + 2 * pageSize;
          const moving = "may-move" as const;
          const grow = user.mremap({ address: old, oldLength, newLength, moving });
          const address = yield* succeed("growing by mremap", grow);
          yield* mustBeHole(subject, "the first page past the end", address, pages);
          yield* mustBeHole(subject, "the second page past the end", address, pages + 1);
          yield* mustShowAll(subject, address);
        },
      },
      {
        when: "a buffer that was freed before it was touched",
        schedule: "sequential",
        provokes: [],
        excluded: ({ subject: { free, supports } }) => {
          if (supports.populate === "eager") return "it maps everything at once";
          return free === undefined ? "its memory cannot be freed" : undefined;
        },
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* subject.free?.() ?? none();
          for (const page of existingPages(subject)) {
            yield* mustBeHole(subject, `page ${page} of a freed buffer`, address, page);
          }
        },
      },
      ...memoryClaims,
    ],
  },
  {
    id: "LK-07",
    level: "required",
    owner: ["strategy"],
    rule: "memory of the DMA layer MUST be mapped through that layer: it need have no struct page, and neither its address nor the device's is a physical one",
    source: "mail of 2004; commit b3dc3f8 (videobuf-dma-contig); drivers/usb/core/devio.c usbdev_mmap",
    cases: [
      {
        when: "coherent memory without struct pages",
        schedule: "sequential",
        machine: { coherentMemory: "without-page", pagelessPages: 32 },
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* mustShowAll(subject, address);
          for (const page of existingPages(subject)) {
            const at = address + page * subject.pageSize;
            must((yield* user.store(at, page + 9)) === undefined, `a store to page ${page} traps`);
            if (subject.peek === undefined) continue;
            mustBe(`page ${page}, seen by its owner`, yield* subject.peek(page), page + 9);
          }
          mustReach("the first page again", yield* user.load(address));
        },
      },
      {
        when: "coherent memory without struct pages, for two threads",
        schedule: "racy",
        machine: { coherentMemory: "without-page", pagelessPages: 32 },
        excluded: ({ tried }) =>
          tried?.backing === "coherent" ? undefined : "its memory is not the DMA layer's",
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          const other = yield* user.thread(function* () {
            must((yield* user.store(address + 8, 9)) === undefined, "a store by the other traps");
          }, "other");
          mustBe("page 0", yield* user.load(address), subject.markOf(0));
          yield* user.join(other);
          mustBe("what the other thread has stored", yield* user.load(address + 8), 9);
        },
      },
      {
        when: "coherent memory with struct pages",
        schedule: "sequential",
        machine: { coherentMemory: "with-page" },
        *program({ subject }) {
          yield* mustShowAll(subject, yield* succeed("mmap", subject.map()));
        },
      },
    ],
  },
];

/** A strategy that is given memory which is no page must refuse it, at mmap or at each touch. */
function refusing(memory: OddMemory, what: string): LawCase {
  return {
    when: what,
    schedule: "sequential",
    provokes: [],
    excluded: cannotShowOdd,
    *program({ subject }) {
      const address = yield* subject.mapOdd?.(memory) ?? none();
      if (address < 0) return;
      for (const page of memory === "bare-block" ? [1] : [0]) {
        mustBe(`a load from ${what}`, yield* user.load(address + page * subject.pageSize), SIGBUS);
      }
    },
  };
}

function cannotShowOdd({ subject }: { readonly subject: Subject }): string | undefined {
  return subject.mapOdd === undefined ? "its driver has no odd memory to show" : undefined;
}

/** Every page of a whole mapping that is no hole must show its mark. */
function* mustShowAll(subject: Subject, address: number): Steps<void> {
  for (const page of existingPages(subject)) {
    mustBe(`page ${page}`, yield* subject.reach(address + page * subject.pageSize), subject.markOf(page));
  }
}

/** A page of a mapping must be SIGBUS, and stay without entry. */
function* mustBeHole(subject: Subject, what: string, address: number, page: number): Steps<void> {
  const at = address + page * subject.pageSize;
  mustBe(`a load from ${what}`, yield* user.load(at), SIGBUS);
  mustBe(`a store to ${what}`, yield* user.store(at, 1), SIGBUS);
  must(!(yield* user.pagemap(at, 1)).includes(true), `${what} has an entry`);
}

function* none(): Steps<number> {
  return 0;
}
