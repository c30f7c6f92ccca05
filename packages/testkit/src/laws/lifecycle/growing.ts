import { EAGAIN, ENOMEM, isError } from "@nopage/core";
import { must, mustBe, mustFail, SIGSEGV_MAPERR, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw } from "../law.ts";
import {
  mapAnywhere,
  mapAt,
  mustLieAs,
  mustRead,
  type Paged,
  write,
  writtenIsland,
} from "../support/own-memory.ts";
import { unmap } from "../support/reserved-range.ts";
import { mustBeUnmapped } from "../support/shown-pages.ts";

/** Where memory that grows goes to. */
export const growingLaws: readonly AnyLaw[] = [
  {
    id: "LC-22",
    level: "required",
    owner: ["core"],
    rule: "memory MUST grow where it is as far as there is free room behind it; otherwise it MUST move if it may, and MUST fail with ENOMEM, unchanged, if it may not or there is no room at all",
    source: "mm/mremap.c mremap, vma_expandable, vma_to_resize; mremap(2)",
    cases: [
      ...(["in-place", "may-move"] as const).map((moving) => ({
        when: `with room behind it, ${moving}`,
        schedule: "sequential" as const,
        kinds: "one" as const,
        *program({ subject }: { readonly subject: Paged }): Steps<void> {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, [21, 22], 5);
          const { size } = yield* user.memoryStatus();
          const grown = { address, oldLength: 2 * pageSize, newLength: 5 * pageSize, moving };
          mustBe("mremap to a greater length", yield* user.mremap(grown), address);
          mustBe("what growing adds to VmSize", (yield* user.memoryStatus()).size - size, 3);
          yield* mustRead(subject, "what has grown", address, [21, 22, 0, 0, 0]);
          yield* mustLieAs(subject, "what has grown", address, 5, [[0, 5]]);
        },
      })),
      {
        when: "up to memory that goes on where it ends",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, [0], 3);
          mustBe("mmap behind it", yield* mapAt(subject, address + 2 * pageSize, 1), address + 2 * pageSize);
          const grown = { address, oldLength: pageSize, newLength: 2 * pageSize };
          mustBe("mremap to a greater length", yield* user.mremap(grown), address);
          yield* mustLieAs(subject, "what has become one", address, 3, [[0, 3]]);
          yield* mustRead(subject, "what has become one", address, [0, 0, 0]);
        },
      },
      {
        when: "with something in its way",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, [21, 22], 6);
          const wall = address + 4 * pageSize;
          mustBe("mmap of what is in its way", yield* mapAt(subject, wall, 1), wall);
          yield* write(subject, wall, [99]);
          const grown = { address, oldLength: 2 * pageSize, newLength: 5 * pageSize };
          mustFail("growing in place", yield* user.mremap(grown), ENOMEM);
          mustFail(
            "growing a part of it in place",
            yield* user.mremap({ ...grown, oldLength: pageSize }),
            ENOMEM,
          );
          yield* mustLieAs(subject, "the memory", address, 6, [
            [0, 2],
            [4, 5],
          ]);
          const { size } = yield* user.memoryStatus();
          const moved = yield* succeed("growing anywhere", user.mremap({ ...grown, moving: "may-move" }));
          mustBe("what growing adds to VmSize", (yield* user.memoryStatus()).size - size, 3);
          yield* mustRead(subject, "what has moved", moved, [21, 22, 0, 0, 0]);
          yield* mustBeUnmapped(subject, "where it was", address, 2);
          yield* mustRead(subject, "what was in its way", wall, [99]);
        },
      },
      {
        when: "at the end of the address space",
        schedule: "sequential",
        kinds: "one",
        executor: "model",
        *program({ subject }) {
          const { pageSize } = subject;
          const end = yield* user.kernel(function* ({ machine }) {
            return machine.geometry.userEnd;
          });
          const address = end - pageSize;
          mustBe("mmap of the last page", yield* mapAt(subject, address, 1), address);
          yield* write(subject, address, [21]);
          const grown = { address, oldLength: pageSize, newLength: 2 * pageSize };
          mustFail("growing in place", yield* user.mremap(grown), ENOMEM);
          yield* mustRead(subject, "the last page", address, [21]);
          const moved = yield* succeed("growing anywhere", user.mremap({ ...grown, moving: "may-move" }));
          yield* mustRead(subject, "what has moved", moved, [21, 0]);
        },
      },
      {
        when: "in an address space that is full",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* mapAnywhere(subject, 2);
          yield* write(subject, address, [21, 22]);
          yield* fill(subject);
          const { size } = yield* user.memoryStatus();
          const grown = {
            address,
            oldLength: 2 * pageSize,
            newLength: 3 * pageSize,
            moving: "may-move",
          } as const;
          mustFail("growing anywhere", yield* user.mremap(grown), ENOMEM);
          const kept = { ...grown, newLength: 2 * pageSize, oldRange: "keep" } as const;
          mustFail("a move that keeps the old range", yield* user.mremap(kept), ENOMEM);
          mustBe("VmSize afterwards", (yield* user.memoryStatus()).size, size);
          yield* mustRead(subject, "the memory", address, [21, 22]);
          yield* unmap(subject, address + pageSize, 1);
          mustBe("mmap of the one page that is free", yield* mapAnywhere(subject, 1), address + pageSize);
        },
      },
      {
        when: "that is locked",
        schedule: "sequential",
        kinds: "one",
        executor: "model",
        machine: { lockLimitPages: 4 },
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, [21, 22], 4);
          mustBe("mlock", yield* user.mlock(address, 2 * pageSize), 0);
          const grown = { address, oldLength: 2 * pageSize, newLength: 3 * pageSize };
          mustBe("growing in place", yield* user.mremap(grown), address);
          mustBe("what is there of it", yield* user.pagemap(address, 3), [true, true, true]);
          mustBe("VmLck", (yield* user.memoryStatus()).locked, 3);
          const more = {
            address,
            oldLength: 3 * pageSize,
            newLength: 5 * pageSize,
            moving: "may-move",
          } as const;
          mustFail("growing over the limit", yield* user.mremap(more), EAGAIN);
          mustBe("VmLck after the refusal", (yield* user.memoryStatus()).locked, 3);
          mustBe("a store behind it", yield* user.store(address + 3 * pageSize, 1), SIGSEGV_MAPERR);
          mustBe("mmap behind it", yield* mapAt(subject, address + 3 * pageSize, 1), address + 3 * pageSize);
          const limit = { ...more, newLength: 4 * pageSize };
          const moved = yield* succeed("growing up to the limit", user.mremap(limit));
          mustBe("what is there of what has moved", yield* user.pagemap(moved, 4), [true, true, true, true]);
          mustBe("VmLck after growing by moving", (yield* user.memoryStatus()).locked, 4);
          yield* mustRead(subject, "what has moved", moved, [21, 22, 0, 0]);
        },
      },
    ],
  },
];

/** Takes all room that there is, by mappings that nobody may touch: from the longest that fits down to single pages. */
function* fill({ pageSize }: Paged): Steps<void> {
  let mappings = 0;
  for (let length = 2 ** 46; length >= pageSize; length /= 2) {
    for (;;) {
      const answer = yield* user.mmap({ length, protection: 0, sharing: "private" });
      if (isError(answer)) {
        mustFail(`mmap of ${length} bytes without room`, answer, ENOMEM);
        break;
      }
      must(++mappings < 1000, "an address space never gets full");
    }
  }
}
