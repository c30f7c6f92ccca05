import { EAGAIN } from "@nopage/core";
import { must, mustBe, mustFail, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import { DEVICE_FAULT, type Subject } from "../../subject/subject.ts";
import type { AnyLaw, LawCase } from "../law.ts";
import { IntervalRecorder } from "../support/interval.ts";
import { privateMemory } from "../support/private-memory.ts";
import { record } from "../support/recorder.ts";
import { lateCases, lockedCase } from "./following.ts";
import { mustAgree } from "./taking-away.ts";

/** How a driver makes a translation while the process may lose the page at any time. */
export const populatingLaws: readonly AnyLaw[] = [
  {
    id: "MN-07",
    level: "model-only",
    owner: ["strategy"],
    rule: "a page that was looked up before an invalidation MUST NOT be given to the device after it: the driver looks, takes its lock, asks whether anything came, and starts over if so",
    source: "Documentation/mm/hmm.rst; dmirror_range_fault; ib_umem_odp_map_dma_and_lock",
    cases: [
      racing("one invalidation comes", "munmap", function* (subject, address) {
        yield* user.munmap(address, subject.pageSize);
      }),
      racing("the page is dropped and made anew", "keeps", function* (subject, address) {
        yield* user.madvise(address, subject.pageSize, "dontneed");
      }),
      {
        when: "the file's page is replaced by a private copy",
        schedule: "racy",
        about: ["mirroring"],
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map({ sharing: "private", pages: 1 }));
          yield* user.load(address);
          const driver = yield* user.thread(function* () {
            yield* subject.reach(address);
          }, "driver");
          yield* user.store(address, 9);
          yield* user.join(driver);
          yield* mustAgree(subject, "the page", address);
        },
      },
      {
        when: "both forms at rest",
        schedule: "sequential",
        about: ["mirroring"],
        *program({ subject }) {
          const { mirror } = subject;
          if (mirror === undefined) return;
          const address = yield* succeed("mmap", subject.map());
          mustFail(
            "populating without waiting where the process has no page",
            yield* mirror.populateNow(address, "read"),
            EAGAIN,
          );
          yield* user.store(address, 5);
          const now = yield* mirror.populateNow(address, "write");
          mustBe(
            "populating without waiting where it has one",
            now,
            mirror.forms.includes("atomic") ? 0 : -EAGAIN,
          );
          const waiting = yield* mirror.populate(address + subject.pageSize, "write");
          mustBe("populating", waiting, mirror.forms.includes("sleeping") ? 0 : -EAGAIN);
          yield* mustAgree(subject, "page 0", address);
        },
      },
      lockedCase,
    ],
  },
  {
    id: "MN-08",
    level: "model-only",
    owner: ["strategy"],
    rule: "that no invalidation is under way MUST NOT be taken as proof that none came since the look-up: a whole one may have come and gone in between",
    source: "mmu_invalidate_retry; mail of 2008, which reads the entry again under the page-table lock",
    cases: [
      racing("a whole invalidation fits in between", "keeps", function* (subject, address) {
        yield* user.madvise(address, subject.pageSize, "dontneed");
      }),
      racing("two of them", "keeps", function* (subject, address) {
        for (let time = 0; time < 2; time++) yield* user.madvise(address, subject.pageSize, "dontneed");
      }),
    ],
  },
  {
    id: "MN-09",
    level: "model-only",
    owner: ["core"],
    rule: "who begins to read MUST sleep until the invalidation that hit the range has ended, and MUST NOT spin",
    source: "mmu_interval_read_begin",
    cases: [
      {
        when: "",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize } = subject;
          const own = yield* privateMemory(pageSize, [1]);
          const interval = new IntervalRecorder();
          yield* interval.follow(own, pageSize);
          const recorder = yield* record();
          recorder.hold();
          const going = yield* user.thread(function* () {
            yield* user.madvise(own, pageSize, "dontneed");
          });
          yield* recorder.whenHeld();
          const reader = yield* user.thread(function* () {
            const sequence = yield* interval.readBegin();
            mustBe("whether the reader collides after the end", yield* interval.readRetry(sequence), false);
          }, "reader");
          yield* user.settle();
          mustBe("a reader during the invalidation", yield* user.stateOf(reader), "blocked");
          yield* recorder.letGo();
          yield* user.join(going);
          yield* user.settle();
          mustBe("a reader after it", yield* user.stateOf(reader), "ended");
          yield* interval.leave();
          yield* recorder.leave();
        },
      },
      {
        when: "a mirror's driver",
        schedule: "sequential",
        about: ["mirroring"],
        excluded: ({ subject }) =>
          subject.mirror?.forms.includes("sleeping") === true ? undefined : "it has no form that waits",
        *program({ subject }) {
          const { mirror } = subject;
          if (mirror === undefined) return;
          const address = yield* succeed("mmap", subject.map({ sharing: "private" }));
          yield* user.store(address, 7);
          const recorder = yield* record();
          recorder.hold();
          const going = yield* user.thread(function* () {
            yield* user.madvise(address, subject.pageSize, "dontneed");
          });
          yield* recorder.whenHeld();
          let answer: number | undefined;
          const driver = yield* user.thread(function* () {
            answer = yield* mirror.populate(address, "read");
          }, "driver");
          yield* user.settle();
          mustBe("a driver that populates during the invalidation", yield* user.stateOf(driver), "blocked");
          yield* recorder.letGo();
          yield* user.join(going);
          yield* user.join(driver);
          mustBe("what populating answers once it has ended", answer, 0);
          yield* mustAgree(subject, "page 0", address);
          yield* recorder.leave();
        },
      },
    ],
  },
  {
    id: "MN-10",
    level: "model-only",
    owner: ["core"],
    rule: "who begins to follow a range in the middle of an invalidation of it MUST count as collided until that has ended",
    source: "__mmu_interval_notifier_insert",
    cases: [
      {
        when: "",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize } = subject;
          const own = yield* privateMemory(pageSize, [1]);
          const first = new IntervalRecorder();
          yield* first.follow(own, pageSize);
          const recorder = yield* record();
          recorder.hold();
          const going = yield* user.thread(function* () {
            yield* user.madvise(own, pageSize, "dontneed");
          });
          yield* recorder.whenHeld();
          const late = new IntervalRecorder();
          yield* late.follow(own, pageSize);
          must(yield* late.isColliding(), "who began to follow during an invalidation may read at once");
          yield* recorder.letGo();
          yield* user.join(going);
          mustBe("whether it still collides after the end", yield* late.isColliding(), false);
          const sequence = yield* late.readBegin();
          mustBe("whether what is read then has to be thrown away", yield* late.readRetry(sequence), false);
          yield* late.leave();
          yield* first.leave();
          yield* recorder.leave();
        },
      },
      {
        when: "a mirror that begins to follow a file that shrinks",
        schedule: "racy",
        about: ["mirroring"],
        *program({ subject }) {
          const { pageSize } = subject;
          const descriptor = yield* succeed("open", subject.open());
          const going = yield* user.thread(function* () {
            yield* user.ftruncate(descriptor, 0);
            yield* user.ftruncate(descriptor, pageSize);
          });
          const address = yield* succeed("mmap", subject.map({ pages: 1, descriptor }));
          yield* subject.reach(address);
          yield* user.join(going);
          yield* mustAgree(subject, "the file's page", address);
        },
      },
      ...lateCases,
    ],
  },
];

/** A device fault on a page that the process has, at the same time as something that takes the page away. */
function racing(
  when: string,
  ends: "munmap" | "keeps",
  take: (subject: Subject, address: number) => Steps<void>,
): LawCase {
  return {
    when,
    schedule: "racy",
    about: ["mirroring"],
    *program({ subject }) {
      const address = yield* succeed("mmap", subject.map({ sharing: "private", pages: 1 }));
      yield* user.store(address, 7);
      const driver = yield* user.thread(function* () {
        yield* subject.reach(address);
      }, "driver");
      yield* take(subject, address);
      yield* user.join(driver);
      if (ends === "munmap")
        mustBe("what the device reads after munmap", yield* subject.reach(address), DEVICE_FAULT);
      else {
        // Where the page went, this makes a new one.
        yield* user.store(address + 8, 0x77);
        yield* mustAgree(subject, "the page", address);
      }
    },
  };
}
