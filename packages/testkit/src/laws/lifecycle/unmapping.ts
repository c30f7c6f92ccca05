import { EINVAL } from "@nopage/core";
import { mustBe, mustFail } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw } from "../law.ts";
import { mapAt, mustLieAs, mustRead, writtenIsland } from "../support/own-memory.ts";
import { mustBeUnmapped } from "../support/shown-pages.ts";

/** What munmap takes and what it refuses. */
export const unmappingLaws: readonly AnyLaw[] = [
  {
    id: "LC-27",
    level: "required",
    owner: ["core"],
    rule: "munmap MUST refuse an empty range, one that begins inside a page and one beyond the address space with EINVAL; of any other it MUST unmap every page, holes or none",
    source: "mm/mmap.c do_mas_munmap, do_mas_align_munmap; munmap(2)",
    cases: [
      {
        when: "what is no range",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize, wordBits } = subject;
          const address = yield* writtenIsland(subject, [1, 2]);
          const before = yield* user.memoryStatus();
          mustFail("munmap of nothing", yield* user.munmap(address, 0), EINVAL);
          mustFail("munmap inside a page", yield* user.munmap(address + 8, pageSize), EINVAL);
          const last = 2 ** wordBits - pageSize;
          mustFail("munmap beyond the address space", yield* user.munmap(last, pageSize), EINVAL);
          mustFail("munmap across its end", yield* user.munmap(address, last - address), EINVAL);
          mustBe("the memory of the process", yield* user.memoryStatus(), before);
          yield* mustRead(subject, "the memory", address, [1, 2]);
        },
      },
      {
        when: "several areas and holes",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, [1, 2, 3], 7);
          const apart = address + 4 * pageSize;
          mustBe("mmap", yield* mapAt(subject, apart, 2, { sharing: "shared" }), apart);
          mustBe("munmap of a hole", yield* user.munmap(address + 3 * pageSize, pageSize), 0);
          // From the middle of one area, across a hole, to the middle of another; a byte takes its page with it.
          mustBe("munmap", yield* user.munmap(address + pageSize, 3 * pageSize + 1), 0);
          yield* mustBeUnmapped(subject, "what was unmapped", address + pageSize, 4);
          yield* mustLieAs(subject, "what is left", address, 7, [
            [0, 1],
            [5, 6],
          ]);
          yield* mustRead(subject, "what is left below", address, [1]);
          yield* mustRead(subject, "what is left above", address + 5 * pageSize, [0]);
          mustBe("munmap of all", yield* user.munmap(address, 7 * pageSize), 0);
          mustBe("VmSize", (yield* user.memoryStatus()).size, 0);
        },
      },
    ],
  },
];
