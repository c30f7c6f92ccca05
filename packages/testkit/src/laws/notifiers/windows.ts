import { EAGAIN, oomReap } from "@nopage/core";
import { must, mustBe, mustFail, succeed } from "../../program/expect.ts";
import type { Actor, Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject } from "../../subject/subject.ts";
import type { AnyLaw, LawCase } from "../law.ts";
import { IntervalRecorder } from "../support/interval.ts";
import { privateMemory } from "../support/private-memory.ts";
import { record } from "../support/recorder.ts";
import { coverageCase } from "./coverage.ts";
import { forgettingCase, pairingCases } from "./following.ts";
import { deviceAgreesCases, mustAgree } from "./taking-away.ts";

/** What holds between the begin and the end of an invalidation. */
export const windowLaws: readonly AnyLaw[] = [
  {
    id: "MN-01",
    level: "model-only",
    owner: ["core"],
    rule: "whatever takes an entry of a followed process away, or narrows it, MUST do so between a begin and an end that cover it",
    source: "Documentation/mm/mmu_notifier.rst; CVE-2022-48991",
    cases: [coverageCase, ...deviceAgreesCases],
  },
  {
    id: "MN-02",
    level: "model-only",
    owner: ["core"],
    rule: "each follower MUST be told as many ends as begins, also when another follower refused the begin",
    source: "mn_hlist_invalidate_range_start; commit c2655835fd8c",
    cases: [
      {
        when: "another follower refuses",
        schedule: "sequential",
        about: ["mapping", "mirroring"],
        *program({ subject }) {
          const { pageSize } = subject;
          const own = yield* privateMemory(pageSize, [7]);
          const address = yield* succeed("mmap", subject.map());
          mustBe("page 0", yield* subject.reach(address), subject.markOf(0));
          const recorder = yield* record();
          const leave = yield* refuse();
          const answer = yield* user.kernel(({ thread }) => oomReap(thread.mm));
          mustFail("reaping a process with a follower that refuses", answer, EAGAIN);
          must(recorder.begun.length > 0, "the follower before the one that refuses was not told the begin");
          mustBe("the ranges that ended", recorder.ended, recorder.begun);
          mustBe("ends without a begin", recorder.unpaired, 0);
          mustBe("memory that a follower would not let go of", yield* user.load(own), 7);
          mustBe("page 0 after the refused reaping", yield* subject.reach(address), subject.markOf(0));
          yield* leave();
          yield* recorder.leave();
        },
      },
      {
        when: "ranges of two threads nest",
        schedule: "sequential",
        about: ["mirroring"],
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* succeed("mmap", subject.map({ sharing: "private" }));
          for (const page of [0, 1]) yield* subject.put(address + page * pageSize, 7);
          const recorder = yield* record();
          recorder.hold();
          const started: Actor[] = [];
          for (const page of [0, 1]) {
            const drop = () => user.madvise(address + page * pageSize, pageSize, "dontneed");
            started.push(yield* user.thread(() => ignoring(drop())));
          }
          while (recorder.held < 2) yield* user.sleep(10);
          yield* recorder.letGo();
          for (const thread of started) yield* user.join(thread);
          for (const page of [0, 1]) yield* mustAgree(subject, `page ${page}`, address + page * pageSize);
          yield* recorder.leave();
        },
      },
      ...pairingCases,
    ],
  },
  {
    id: "MN-03",
    level: "model-only",
    owner: ["strategy"],
    rule: "between begin and end the device MUST NOT get a translation of the range; and only a mirror that holds off the whole process may hold off other ranges",
    source: "mmu_notifier.h; mail of 2008; KVM e649b3f0188f",
    cases: [
      inTheWindow("the range itself", function* (subject, address) {
        const { mirror } = subject;
        if (mirror === undefined) return;
        must(
          !(yield* mirror.reaches(address, "read")),
          "the device has a translation during the invalidation",
        );
        let answer: number | undefined;
        yield* user.thread(function* () {
          answer = yield* mirror.populate(address, "read");
        }, "populate");
        yield* user.settle();
        must(answer !== 0, "the driver populates during the invalidation");
        mustFail("populating without waiting", yield* mirror.populateNow(address, "read"), EAGAIN);
        must(
          !(yield* mirror.reaches(address, "read")),
          "the device gets a translation during the invalidation",
        );
      }),
      {
        ...elsewhere(function* (subject, address) {
          const { mirror } = subject;
          if (mirror === undefined) return;
          mustBe("populating another range", yield* mirror.populate(address, "read"), 0);
        }),
        excluded: ({ subject }) =>
          subject.mirror?.holdsOff === "range" ? undefined : "it holds off the whole process",
      },
      {
        ...elsewhere(function* (subject, address) {
          const { mirror } = subject;
          if (mirror === undefined) return;
          yield* user.load(address);
          mustFail(
            "populating another range without waiting",
            yield* mirror.populateNow(address, "read"),
            EAGAIN,
          );
        }),
        excluded: ({ subject }) =>
          subject.mirror?.holdsOff === "whole-mm" ? undefined : "it holds off ranges only",
      },
      {
        when: "populating while a page goes",
        schedule: "racy",
        about: ["mirroring"],
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map({ sharing: "private", pages: 1 }));
          yield* subject.put(address, 7);
          const going = yield* user.thread(function* () {
            yield* user.madvise(address, subject.pageSize, "dontneed");
          });
          yield* subject.reach(address);
          yield* user.join(going);
          yield* mustAgree(subject, "a page that went meanwhile", address);
        },
      },
    ],
  },
  {
    id: "MN-04",
    level: "model-only",
    owner: ["core", "strategy"],
    rule: "at the begin every page of the range MUST still be there; at the end the device MUST NOT have a way to it any more, because the page may be gone",
    source: "Documentation/mm/mmu_notifier.rst; mmu_notifier.h",
    cases: [
      {
        when: "what the core leaves for the begin",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize } = subject;
          const own = yield* privateMemory(pageSize, [1, 2]);
          const recorder = yield* record();
          const lost = yield* user.kernel(function* ({ machine, thread }) {
            const { frames } = machine.memory;
            const missing: string[] = [];
            recorder.onBegin = ({ start, end, event }) => {
              for (let at: number = start; at < end; at += pageSize) {
                const page = Math.floor(thread.mm.table.entryOf(at / pageSize) / 4096);
                if (page === 0 || (frames.refcount[page] ?? 0) < 1)
                  missing.push(`page of 0x${at.toString(16)} (${event})`);
              }
            };
            return missing;
          });
          yield* user.madvise(own, pageSize, "dontneed");
          yield* user.munmap(own + pageSize, pageSize);
          mustBe("begins", recorder.begun.length, 2);
          mustBe("what is gone before the begin", lost, []);
          yield* recorder.leave();
        },
      },
      {
        when: "what the device has after munmap",
        schedule: "sequential",
        about: ["mirroring"],
        *program({ subject }) {
          const { mirror, pageSize, pages } = subject;
          if (mirror === undefined) return;
          const address = yield* succeed("mmap", subject.map());
          for (let page = 0; page < pages; page++) yield* subject.put(address + page * pageSize, 7);
          yield* user.munmap(address, pages * pageSize);
          for (let page = 0; page < pages; page++) {
            const at = address + page * pageSize;
            must(!(yield* mirror.reaches(at, "read")), `the device still reads page ${page} after munmap`);
            must(!(yield* mirror.reaches(at, "write")), `the device still writes page ${page} after munmap`);
          }
        },
      },
    ],
  },
  {
    id: "MN-06",
    level: "model-only",
    owner: ["strategy"],
    rule: "a follower of an interval MUST record the sequence number of every invalidation, also when it has nothing to drop; the number is odd, and another each time",
    source: "mmu_interval_set_seq",
    cases: [
      {
        when: "the device has nothing",
        schedule: "sequential",
        about: ["mirroring"],
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          for (let round = 0; round < 2; round++) {
            // The process has a page each time, the device none.
            yield* user.load(address);
            yield* user.madvise(address, subject.pageSize, "dontneed");
          }
          mustBe("page 0", yield* subject.reach(address), subject.markOf(0));
        },
      },
      {
        when: "the numbers",
        schedule: "sequential",
        *program({ subject }) {
          const own = yield* privateMemory(subject.pageSize, [1]);
          const recorder = new IntervalRecorder();
          yield* recorder.follow(own, subject.pageSize);
          for (let round = 0; round < 3; round++) yield* user.madvise(own, subject.pageSize, "dontneed");
          const { sequences } = recorder;
          mustBe("the number of invalidations", sequences.length, 3);
          mustBe(
            "numbers that are even",
            sequences.filter((sequence) => sequence % 2 === 0),
            [],
          );
          mustBe("the number of different ones", new Set(sequences).size, 3);
          yield* recorder.leave();
        },
      },
      forgettingCase,
    ],
  },
];

/** A program that looks around while an invalidation of a page that the device had is under way. */
function inTheWindow(when: string, look: (subject: Subject, address: number) => Steps<void>): LawCase {
  return {
    when,
    schedule: "sequential",
    about: ["mirroring"],
    *program({ subject }) {
      const address = yield* succeed("mmap", subject.map({ sharing: "private" }));
      yield* subject.put(address, 7);
      const recorder = yield* record();
      recorder.hold();
      const going = yield* user.thread(function* () {
        yield* user.madvise(address, subject.pageSize, "dontneed");
      });
      yield* recorder.whenHeld();
      yield* look(subject, address);
      yield* recorder.letGo();
      yield* user.join(going);
      yield* user.settle();
      yield* mustAgree(subject, "the page after the invalidation", address);
      yield* recorder.leave();
    },
  };
}

/** The same while an invalidation of memory is under way that the device does not follow. */
function elsewhere(look: (subject: Subject, address: number) => Steps<void>): LawCase {
  return {
    when: "another range",
    schedule: "sequential",
    about: ["mirroring"],
    *program({ subject }) {
      const own = yield* privateMemory(subject.pageSize, [1]);
      const address = yield* succeed("mmap", subject.map());
      const recorder = yield* record();
      recorder.hold();
      const going = yield* user.thread(function* () {
        yield* user.madvise(own, subject.pageSize, "dontneed");
      });
      yield* recorder.whenHeld();
      const looking = yield* user.thread(() => look(subject, address), "look");
      yield* user.settle();
      mustBe("who populates during the invalidation of another range", yield* user.stateOf(looking), "ended");
      yield* recorder.letGo();
      yield* user.join(going);
      yield* user.join(looking);
      mustBe("page 0", yield* subject.reach(address), subject.markOf(0));
      yield* recorder.leave();
    },
  };
}

/** The same steps without their answer, as a thread runs them. */
function* ignoring(steps: Steps<unknown>): Steps<void> {
  yield* steps;
}

/** A follower that refuses every invalidation that may not block: the way to take it off again. */
export function* refuse(): Steps<() => Steps<void>> {
  const follower = {
    name: "refuses",
    invalidateRangeBegin: ({ blockable }: { readonly blockable: boolean }) => (blockable ? 0 : -EAGAIN),
  };
  yield* user.kernel(({ kernel, thread }) => kernel.mappings.registerNotifier(thread.mm, follower));
  return () => user.kernel(({ kernel, thread }) => kernel.mappings.unregisterNotifier(thread.mm, follower));
}
