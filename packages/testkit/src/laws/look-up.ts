import { must, mustBe, SIGBUS, succeed } from "../program/expect.ts";
import { user } from "../program/user.ts";
import type { AnyLaw } from "./law.ts";

/** F. Memory from kmalloc, vmalloc and the DMA layer, looked up page by page. */
export const lookUpLaws: readonly AnyLaw[] = [
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
          const address = yield* succeed("mmap", subject.map());
          for (let page = 0; page < subject.pages; page++) {
            if (subject.holes.includes(page)) continue;
            mustBe(
              `page ${page}`,
              yield* subject.reach(address + page * subject.pageSize),
              subject.markOf(page),
            );
          }
        },
      },
    ],
  },
  {
    id: "LK-06",
    level: "capability",
    owner: ["strategy"],
    rule: "a hole MUST end in SIGBUS and MUST NOT change the page table",
    source: "snd_pcm_mmap_data_fault; mail of 1997",
    cases: [
      {
        when: "",
        schedule: "sequential",
        excluded: ({ subject }) => (subject.holes.length === 0 ? "the object has no holes" : undefined),
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          for (const hole of subject.holes) {
            const at = address + hole * subject.pageSize;
            mustBe(`a load from hole ${hole}`, yield* user.load(at), SIGBUS);
            mustBe(`a store to hole ${hole}`, yield* user.store(at, 1), SIGBUS);
            must(!(yield* user.pagemap(at, 1)).includes(true), `hole ${hole} has an entry`);
          }
        },
      },
    ],
  },
];
