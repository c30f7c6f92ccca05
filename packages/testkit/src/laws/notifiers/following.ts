import {
  EAGAIN,
  ENOMEM,
  type IntervalNotifier,
  type MmuNotifier,
  oomReap,
  type UserAddress,
} from "@nopage/core";
import { must, mustBe, mustFail, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { LawCase } from "../law.ts";
import { IntervalRecorder } from "../support/interval.ts";
import { privateMemory } from "../support/private-memory.ts";
import { type Recorder, record } from "../support/recorder.ts";
import { reports } from "../support/reports.ts";
import { ShortMemory } from "../support/short-memory.ts";

const memory = new ShortMemory();

/** For MN-02: begins and ends pair, whoever comes in the middle and whatever a follower answers. */
export const pairingCases: readonly LawCase[] = [
  {
    when: "who begins to follow in the middle of an invalidation",
    schedule: "sequential",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      const descriptor = yield* succeed("memfd_create", user.memfd("cut"));
      yield* succeed("ftruncate", user.ftruncate(descriptor, pageSize));
      const request = { length: pageSize, protection: 3, sharing: "shared", descriptor } as const;
      yield* user.load(yield* succeed("mmap", user.mmap(request)));
      const first = yield* record();
      first.hold();
      const cutting = yield* user.thread(function* () {
        yield* user.ftruncate(descriptor, 0);
      }, "cutting");
      yield* first.whenHeld();
      const late: Recorder[] = [];
      const registering = yield* user.thread(function* () {
        late.push(yield* record());
      }, "registering");
      yield* user.settle();
      mustBe("who registers during an invalidation", yield* user.stateOf(registering), "blocked");
      yield* first.letGo();
      yield* user.join(cutting);
      yield* user.join(registering);
      for (const { begun, ended } of late) {
        mustBe("what it is told of the invalidation", [...begun, ...ended], []);
      }
      mustBe("how many registered", late.length, 1);
      for (const recorder of late) yield* recorder.leave();
      yield* first.leave();
    },
  },
  {
    when: "a follower that refuses and has an end",
    schedule: "sequential",
    kinds: "one",
    provokes: "contract",
    *program({ subject: { pageSize } }) {
      yield* privateMemory(pageSize, [7]);
      let ends = 0;
      const leave = yield* follow({
        name: "cannot be paired",
        invalidateRangeBegin: ({ blockable }) => (blockable ? 0 : -EAGAIN),
        invalidateRangeEnd: () => void ends++,
      });
      mustFail("the reaper", yield* reap(), EAGAIN);
      mustBe("ends that it was told of without a begin", ends, 0);
      mustBe("what is reported", yield* reports(), [
        "cannot be paired refuses range invalidations but has an end, which could not be paired",
      ]);
      yield* leave();
    },
  },
  {
    when: "a follower that answers an error where one may wait",
    schedule: "sequential",
    kinds: "one",
    provokes: "contract",
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [7]);
      const told: string[] = [];
      const leave = yield* follow({
        name: "wrong",
        invalidateRangeBegin: () => -told.push("begin"),
        invalidateRangeEnd: () => void told.push("end"),
      });
      mustBe("MADV_DONTNEED", yield* user.madvise(own, pageSize, "dontneed"), 0);
      mustBe("what the follower is told", told, ["begin", "end"]);
      yield* leave();
    },
  },
  {
    when: "a machine that nobody watches",
    schedule: "sequential",
    kinds: "one",
    machine: { sanitizers: "cheap" },
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [7]);
      const recorder = yield* record();
      yield* user.madvise(own, pageSize, "dontneed");
      const range = { event: "clear", start: own, end: own + pageSize };
      mustBe("begins", recorder.begun, [range]);
      mustBe("ends", recorder.ended, [range]);
      yield* recorder.leave();
    },
  },
];

/** For MN-05: what becomes of a follower of a range that refuses. */
export const refusingCases: readonly LawCase[] = [
  {
    when: "the reaper and a follower of a range that refuses",
    schedule: "sequential",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [7]);
      const recorder = yield* record();
      const { leave } = yield* followRange(own, pageSize, {
        name: "refuses",
        *invalidate({ blockable }, subscription, sequence) {
          if (!blockable) return false;
          yield* subscription.setSequence(sequence);
          return true;
        },
      });
      mustFail("reaping what a follower of the range does not let go of", yield* reap(), EAGAIN);
      mustBe("memory that was left", yield* user.load(own), 7);
      mustBe("what followers of the process are told of it", [...recorder.begun, ...recorder.ended], []);
      yield* leave();
      mustBe("reaping once it is gone", yield* reap(), 0);
      mustBe("memory that was reaped", yield* user.load(own), 0);
      yield* recorder.leave();
    },
  },
  {
    when: "a follower of a range that refuses where it may wait",
    schedule: "sequential",
    kinds: "one",
    provokes: "contract",
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [7]);
      const { leave } = yield* followRange(own, pageSize, {
        name: "refuses always",
        *invalidate(_range, subscription, sequence) {
          yield* subscription.setSequence(sequence);
          return false;
        },
      });
      mustBe("MADV_DONTNEED", yield* user.madvise(own, pageSize, "dontneed"), 0);
      mustBe("memory that was dropped", yield* user.load(own), 0);
      mustBe("what is reported", yield* reports(), [
        "refuses always refused a range invalidation that may block",
      ]);
      yield* leave();
    },
  },
  {
    when: "the reaper, a follower of a range and a thread that touches it",
    schedule: "racy",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [7]);
      const recorder = new IntervalRecorder();
      yield* recorder.follow(own, pageSize);
      const toucher = yield* user.thread(function* () {
        const seen = yield* user.load(own);
        must(seen === 7 || seen === 0, `memory that is reaped reads ${String(seen)}`);
      });
      // It leaves the process alone while somebody has the mmap lock for writing, which nobody has here.
      mustBe("the reaper", yield* reap(), 0);
      mustBe("what the follower is told", recorder.events, ["unmap"]);
      mustBe("memory that was reaped", yield* user.load(own), 0);
      yield* user.join(toucher);
      yield* recorder.leave();
    },
  },
];

/** For MN-06: a callback that is no generator, and forgets the number. */
export const forgettingCase: LawCase = {
  when: "a follower that does not record the number",
  schedule: "sequential",
  kinds: "one",
  provokes: "contract",
  *program({ subject: { pageSize } }) {
    const own = yield* privateMemory(pageSize, [7]);
    const told: number[] = [];
    const { leave } = yield* followRange(own, pageSize, {
      name: "forgets",
      invalidate: (_range, _subscription, sequence) => told.push(sequence) > 0,
    });
    yield* user.madvise(own, pageSize, "dontneed");
    mustBe("what is reported", yield* reports(), [
      `forgets: invalidate did not record sequence ${told[0]}, so populate cannot see the collision`,
    ]);
    yield* leave();
  },
};

/** For MN-10: who follows a range in the middle of invalidations that hit nobody, or that nobody hears of. */
export const lateCases: readonly LawCase[] = (["another range", "nobody"] as const).map((who) => ({
  when: `an invalidation that ${who === "nobody" ? "nobody hears of" : "hits another range"}`,
  schedule: "sequential",
  kinds: "one",
  *program({ subject: { pageSize } }) {
    const own = yield* privateMemory(pageSize, [1]);
    const early = new IntervalRecorder();
    if (who === "another range") yield* early.follow(0, pageSize);
    const going = yield* user.kernel(({ thread }) => {
      return thread.mm.notifiers.begin(own, own + pageSize, "unmap");
    });
    const late = new IntervalRecorder();
    yield* late.follow(own, pageSize);
    must(yield* late.isColliding(), "who began to follow during an invalidation may read at once");
    const waiting = yield* user.thread(function* () {
      yield* late.readBegin();
    }, "reader");
    yield* user.settle();
    mustBe("who reads meanwhile", yield* user.stateOf(waiting), "blocked");
    yield* user.kernel(({ thread }) => thread.mm.notifiers.end(going));
    yield* user.join(waiting);
    mustBe("whether it still collides after the end", yield* late.isColliding(), false);
    mustBe("what it is told of an invalidation that began before it followed", late.events, []);
    yield* user.madvise(own, pageSize, "dontneed");
    mustBe("what it is told of the next", late.events, ["clear"]);
    yield* late.leave();
    if (who === "another range") yield* early.leave();
  },
}));

/** For MN-11: a follower of a range that leaves before it has come. */
export const leavingCase: LawCase = {
  when: "a follower of a range that comes and goes during one invalidation",
  schedule: "sequential",
  kinds: "one",
  *program({ subject: { pageSize } }) {
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
    const leaving = yield* user.thread(() => late.leave());
    yield* user.settle();
    mustBe("who removes a range that no callback can know yet", yield* user.stateOf(leaving), "ended");
    yield* recorder.letGo();
    yield* user.join(going);
    yield* user.store(own, 2);
    yield* user.madvise(own, pageSize, "dontneed");
    mustBe("what it is told of after it left", late.events, []);
    yield* first.leave();
    yield* recorder.leave();
  },
};

/** For MN-13: the use that is taken goes back where following fails. */
export const shortCase: LawCase = {
  when: "following without memory for it",
  schedule: "sequential",
  kinds: "one",
  machine: { allocations: memory },
  *program({ subject: { pageSize } }) {
    const own = yield* privateMemory(pageSize, [7]);
    const ways: readonly (readonly [string, () => Steps<number>])[] = [
      [
        "mmu_notifier_register",
        () =>
          user.kernel(({ kernel, thread }) => kernel.mappings.registerNotifier(thread.mm, { name: "late" })),
      ],
      [
        "mmu_interval_notifier_insert",
        () =>
          user.kernel(function* ({ kernel, thread }) {
            const [start, end] = [own as UserAddress, (own + pageSize) as UserAddress];
            const late = { name: "late", invalidate: () => true };
            const inserted = yield* kernel.mappings.insertInterval(thread.mm, start, end, late);
            return typeof inserted === "number" ? inserted : 0;
          }),
      ],
    ];
    for (const [name, way] of ways) {
      const before = yield* user.kernel(function* ({ thread }) {
        return thread.mm.users;
      });
      memory.left = 0;
      const answer = yield* way();
      memory.refill();
      mustFail(name, answer, ENOMEM);
      const left = yield* user.kernel(function* ({ thread }) {
        return [thread.mm.users, thread.mm.notifiers.isEmpty];
      });
      mustBe(`uses of the process, and whether nobody follows, after ${name} failed`, left, [before, true]);
    }
  },
};

/** For MN-07: a driver that may not wait, while somebody changes the process's areas. */
export const lockedCase: LawCase = {
  when: "populating without waiting while somebody has the mmap lock for writing",
  schedule: "sequential",
  about: ["mirroring"],
  excluded: ({ subject }) =>
    subject.mirror?.forms.includes("atomic") === true ? undefined : "it always waits",
  *program({ subject }) {
    const { mirror } = subject;
    if (mirror === undefined) return;
    const address = yield* succeed("mmap", subject.map());
    yield* user.store(address, 5);
    const writer = yield* user.thread(function* () {
      yield* user.kernel(function* ({ kernel, thread }) {
        yield* thread.mm.lock.write();
        yield* kernel.time.sleep(1000);
        thread.mm.lock.unlockWrite();
      });
    });
    yield* user.sleep(10);
    mustFail("populating while the areas change", yield* mirror.populateNow(address, "read"), EAGAIN);
    mustBe("the writer meanwhile", yield* user.stateOf(writer), "blocked");
    yield* user.join(writer);
    mustBe("populating afterwards", yield* mirror.populateNow(address, "read"), 0);
  },
};

function reap(): Steps<number> {
  return user.kernel(({ thread }) => oomReap(thread.mm));
}

/** Has a follower follow the calling process: the way to take it off again. */
function* follow(follower: MmuNotifier): Steps<() => Steps<void>> {
  yield* user.kernel(({ kernel, thread }) => kernel.mappings.registerNotifier(thread.mm, follower));
  return () => user.kernel(({ kernel, thread }) => kernel.mappings.unregisterNotifier(thread.mm, follower));
}

/** The same for a range. */
function* followRange(
  address: number,
  bytes: number,
  follower: IntervalNotifier,
): Steps<{ readonly leave: () => Steps<void> }> {
  const [start, end] = [address as UserAddress, (address + bytes) as UserAddress];
  const subscription = yield* user.kernel(({ kernel, thread }) =>
    kernel.mappings.insertInterval(thread.mm, start, end, follower),
  );
  if (typeof subscription === "number") throw new Error(`a range cannot be followed: ${subscription}`);
  return { leave: () => user.kernel(() => subscription.remove()) };
}
