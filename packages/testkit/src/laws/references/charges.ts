import { EAGAIN, ENOMEM, isError, VM_READ, VM_WRITE } from "@nopage/core";
import { must, mustBe, mustFail, succeed } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import { countsItsPages, countsNothing } from "../bare-frames/bare-frames.ts";
import type { AnyLaw } from "../law.ts";
import { areaAt } from "../support/accounts.ts";

/** What mappings, locks and pins are charged to the process. */
export const chargeLaws: readonly AnyLaw[] = [
  {
    id: "RC-06",
    level: "required",
    owner: ["core"],
    rule: "what is mapped MUST be charged to the size of the address space and MUST be given back exactly; a mapping that fails MUST change neither the size nor the areas",
    source: "mm/mmap.c __mmap_region",
    cases: [
      {
        when: "",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const { size } = yield* user.memoryStatus();
          const areas = (yield* user.smaps()).length;
          const outside = yield* subject.map({ first: pages, pages: 1 });
          must(isError(outside), "a mapping outside the object succeeds");
          mustBe("VmSize after a mapping that failed", (yield* user.memoryStatus()).size, size);
          mustBe("the areas after a mapping that failed", (yield* user.smaps()).length, areas);
          const address = yield* succeed("mmap", subject.map());
          mustBe("what a mapping adds to VmSize", (yield* user.memoryStatus()).size - size, pages);
          mustBe("munmap of one page", yield* user.munmap(address + pageSize, pageSize), 0);
          mustBe("what is left of it", (yield* user.memoryStatus()).size - size, pages - 1);
          mustBe("munmap of the rest", yield* user.munmap(address, pages * pageSize), 0);
          mustBe("VmSize at the end", (yield* user.memoryStatus()).size, size);
          mustBe("the areas at the end", (yield* user.smaps()).length, areas);
        },
      },
    ],
  },
  {
    id: "RC-07",
    level: "required",
    owner: ["core"],
    rule: "mlock of a special area MUST succeed, lock nothing and charge nothing; of a normal one over the limit it MUST fail",
    source: "mm/mlock.c mlock_fixup, do_mlock; mm/mmap.c do_mmap (mlock_future_check)",
    cases: [
      {
        when: "bare frames",
        schedule: "sequential",
        excluded: countsItsPages,
        machine: { lockLimitPages: 16 },
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          mustBe("mlock", yield* user.mlock(address, subject.pages * subject.pageSize), 0);
          mustBe("VmLck", (yield* user.memoryStatus()).locked, 0);
          const area = yield* areaAt(address);
          mustBe("Locked of the area", area.locked, 0);
          must(!area.flags.includes("lo"), "the area of bare frames is locked");
        },
      },
      {
        when: "counted pages",
        schedule: "sequential",
        excluded: (stage) =>
          countsNothing(stage) ?? (stage.subject.holes.length > 0 ? "it has holes" : undefined),
        *program({ subject }) {
          const length = subject.pages * subject.pageSize;
          const address = yield* succeed("mmap", subject.map());
          const special = (yield* areaAt(address)).flags.some((flag) =>
            ["io", "pf", "mm", "de"].includes(flag),
          );
          mustBe("mlock", yield* user.mlock(address, length), 0);
          mustBe("VmLck", (yield* user.memoryStatus()).locked, special ? 0 : subject.pages);
          mustBe("munlock", yield* user.munlock(address, length), 0);
          mustBe("VmLck after munlock", (yield* user.memoryStatus()).locked, 0);
        },
      },
      {
        when: "over the limit",
        schedule: "sequential",
        executor: "model",
        machine: { lockLimitPages: 1 },
        kinds: "one",
        *program({ subject: { pageSize } }) {
          const request = {
            length: 2 * pageSize,
            protection: VM_READ | VM_WRITE,
            sharing: "private",
          } as const;
          const address = yield* succeed("mmap", user.mmap(request));
          mustFail("mlock of two pages", yield* user.mlock(address, 2 * pageSize), ENOMEM);
          mustFail("MAP_LOCKED of two pages", yield* user.mmap({ ...request, locking: "locked" }), EAGAIN);
          mustBe("VmLck", (yield* user.memoryStatus()).locked, 0);
          mustBe("mlock of one page", yield* user.mlock(address, pageSize), 0);
          mustBe("VmLck", (yield* user.memoryStatus()).locked, 1);
        },
      },
    ],
  },
  {
    id: "RC-08",
    level: "capability",
    owner: ["driver"],
    rule: "who holds pages for a device and charges them MUST charge each once, MUST refuse what is over the limit, and MUST give the charge back with the page; get_user_pages charges nothing",
    source: "io_uring/rsrc.c; drivers/infiniband/core/umem.c; CVE-2019-3882",
    cases: [
      {
        when: "a device that charges",
        schedule: "sequential",
        about: ["pinning"],
        machine: { lockLimitPages: 3 },
        excluded: ({ pinner }) => (pinner?.supports.charged === true ? undefined : "it charges nothing"),
        *program({ subject, pinner }) {
          if (pinner === undefined) return;
          const address = yield* succeed("mmap", subject.map());
          const before = (yield* user.memoryStatus()).pinned;
          const pinned = yield* pinner.pin(address, 2, "write");
          must(typeof pinned !== "number", "two pages are refused where three may be locked");
          mustBe("VmPin while they are held", (yield* user.memoryStatus()).pinned - before, 2);
          const more = yield* pinner.pin(address, 2, "write");
          if (typeof more !== "number") yield* pinner.unpin(more);
          mustBe("two pages more than may be locked", more, -ENOMEM);
          mustBe("VmPin after a refusal", (yield* user.memoryStatus()).pinned - before, 2);
          if (typeof pinned !== "number") yield* pinner.unpin(pinned);
          mustBe("VmPin afterwards", (yield* user.memoryStatus()).pinned, before);
        },
      },
      {
        when: "a device that does not",
        schedule: "sequential",
        about: ["mapping", "pinning"],
        machine: { lockLimitPages: 1 },
        excluded: (stage) => {
          if (stage.pinner === undefined) return "there is no device that holds pages";
          return stage.pinner.supports.charged ? "it charges what it holds" : countsNothing(stage);
        },
        *program({ subject, pinner }) {
          if (pinner === undefined) return;
          const address = yield* succeed("mmap", subject.map());
          const before = (yield* user.memoryStatus()).pinned;
          const pinned = yield* pinner.pin(address, 2, "write");
          must(typeof pinned !== "number", "what is not charged is refused");
          mustBe("VmPin while pages are held", (yield* user.memoryStatus()).pinned, before);
          if (typeof pinned !== "number") yield* pinner.unpin(pinned);
        },
      },
      {
        when: "two threads that charge at once",
        schedule: "racy",
        executor: "model",
        kinds: "one",
        machine: { lockLimitPages: 3 },
        *program() {
          const answers: number[] = [];
          function* charge() {
            const answer = yield* user.kernel(({ kernel, thread }) => kernel.user.chargePins(thread.mm, 2));
            answers.push(answer);
          }
          const other = yield* user.thread(charge, "other");
          yield* charge();
          yield* user.join(other);
          mustBe("the answers, of which one is a refusal", answers.toSorted(), [-ENOMEM, 0]);
          mustBe("VmPin of who was not refused", (yield* user.memoryStatus()).pinned, 2);
          yield* user.kernel(({ kernel, thread }) => kernel.user.unchargePins(thread.mm, 2));
          mustBe("VmPin afterwards", (yield* user.memoryStatus()).pinned, 0);
        },
      },
    ],
  },
];
