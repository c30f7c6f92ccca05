import { EAGAIN, EFAULT, type UserAddress } from "@nopage/core";
import { LawBroken, must, mustBe, mustFail, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { LetGo } from "../../subject/device-mirror.ts";
import type { Subject } from "../../subject/subject.ts";
import type { AnyLaw } from "../law.ts";
import { IntervalRecorder } from "../support/interval.ts";
import { privateMemory } from "../support/private-memory.ts";
import { type Recorder, record } from "../support/recorder.ts";
import { A_WHILE } from "../support/taking-away.ts";
import { leavingCase, shortCase } from "./following.ts";
import { mustAgree } from "./taking-away.ts";

/** How following begins and ends, and who is told of what. */
export const lifetimeLaws: readonly AnyLaw[] = [
  {
    id: "MN-11",
    level: "model-only",
    owner: ["core", "strategy"],
    rule: "when unregistering returns no callback MUST be running and none may run later; it MUST wait for one that runs",
    source: "mmu_interval_notifier_remove; mmu_notifier_unregister",
    cases: [
      {
        when: "a follower of the process",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize } = subject;
          const own = yield* privateMemory(pageSize, [1]);
          const recorder = yield* record();
          recorder.hold();
          const going = yield* user.thread(function* () {
            yield* user.madvise(own, pageSize, "dontneed");
          });
          yield* recorder.whenHeld();
          const leaving = yield* user.thread(() => recorder.leave());
          yield* user.settle();
          mustBe("who unregisters while its callback runs", yield* user.stateOf(leaving), "blocked");
          yield* recorder.letGo();
          yield* user.join(leaving);
          yield* user.join(going);
          const before = recorder.begun.length;
          yield* user.store(own, 2);
          yield* user.madvise(own, pageSize, "dontneed");
          mustBe("what it is told of after it left", recorder.begun.length - before, 0);
        },
      },
      {
        when: "a follower of a range",
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
          const leaving = yield* user.thread(() => interval.leave());
          yield* user.settle();
          mustBe(
            "who removes the range during an invalidation of it",
            yield* user.stateOf(leaving),
            "blocked",
          );
          yield* recorder.letGo();
          yield* user.join(going);
          yield* user.join(leaving);
          const before = interval.events.length;
          yield* user.store(own, 2);
          yield* user.madvise(own, pageSize, "dontneed");
          mustBe("what it is told of after it left", interval.events.length - before, 0);
          yield* recorder.leave();
        },
      },
      {
        when: "a mirror that lets go while pages go",
        schedule: "racy",
        about: ["mirroring"],
        *program({ subject }) {
          const { mirror } = subject;
          if (mirror === undefined) return;
          const address = yield* succeed("mmap", subject.map({ sharing: "private", pages: 1 }));
          yield* subject.put(address, 7);
          const going = yield* user.thread(function* () {
            yield* user.madvise(address, subject.pageSize, "dontneed");
          });
          yield* mirror.unfollow();
          yield* user.join(going);
          yield* user.store(address, 8);
          yield* user.madvise(address, subject.pageSize, "dontneed");
        },
      },
      leavingCase,
    ],
  },
  {
    id: "MN-12",
    level: "model-only",
    owner: ["strategy", "core"],
    rule: "release MUST run before the first page of the process is freed; after it the device MUST have no translation and get none, and the follower's own memory MUST stay until unregistering has returned",
    source: "mn_hlist_release; the skeleton of 2008, which frees it in release",
    cases: [
      {
        when: "what a follower finds at its release",
        schedule: "sequential",
        *program({ subject }) {
          let recorder: Recorder | undefined;
          const child = yield* user.process(function* () {
            yield* privateMemory(subject.pageSize, [1, 2]);
            recorder = yield* record();
          });
          yield* user.join(child);
          mustBe("releases", recorder?.releases, 1);
          mustBe("entries at the release", recorder?.entriesAtRelease, 2);
        },
      },
      {
        when: "a device whose process ends",
        schedule: "sequential",
        about: ["mirroring"],
        *program({ subject }) {
          yield* dieAndLook(subject, function* () {});
        },
      },
      {
        when: "a device whose process is killed",
        schedule: "sequential",
        about: ["mirroring"],
        *program({ subject }) {
          yield* dieAndLook(subject, function* () {
            yield* user.sleep(1_000_000_000_000);
          });
        },
      },
      {
        when: "a device that works on while its process ends",
        schedule: "racy",
        about: ["mirroring"],
        *program({ subject }) {
          const { mirror } = subject;
          if (mirror === undefined) return;
          let address = 0;
          const child = yield* user.process(function* () {
            address = yield* succeed("mmap", subject.map({ pages: 1 }));
            yield* subject.put(address, 7);
            yield* user.sleep(A_WHILE);
          });
          // By then the device has what it is to follow, and the process ends.
          yield* user.sleep(A_WHILE);
          yield* mirror.populate(address, "write");
          yield* user.join(child);
          mustFail("populating for a process that is gone", yield* mirror.populate(address, "read"), EFAULT);
          must(
            !(yield* mirror.reaches(address, "read")),
            "the device reads memory of a process that is gone",
          );
        },
      },
    ],
  },
  {
    id: "MN-13",
    level: "model-only",
    owner: ["strategy"],
    rule: "before it touches an address space a driver MUST take a use of it, which fails once the process is gone: -EFAULT",
    source: "dmirror_fault; ib_umem_odp_map_dma_and_lock",
    cases: [
      {
        when: "a process that is gone",
        schedule: "sequential",
        about: ["mirroring"],
        *program({ subject }) {
          yield* dieAndLook(subject, function* () {});
          const gone = yield* letGoOf(subject);
          mustFail("populating after the process has ended", gone.populate, EFAULT);
          const isAtomic = subject.mirror?.forms.includes("atomic") === true;
          mustFail("populating without waiting after it has", gone.populateNow, isAtomic ? EFAULT : EAGAIN);
          mustFail("following it anew", gone.followAgain, EFAULT);
        },
      },
      {
        when: "the core's own answer",
        schedule: "sequential",
        kinds: "one",
        *program() {
          const answers = yield* user.kernel(function* ({ machine, kernel }) {
            const mm = machine.createMm("gone");
            yield* machine.dropMm(mm);
            const interval = { name: "late", invalidate: () => true };
            const start = kernel.geometry.pageSize as UserAddress;
            const end = (2 * start) as UserAddress;
            const registered = yield* kernel.mappings.registerNotifier(mm, { name: "late" });
            const inserted = yield* kernel.mappings.insertInterval(mm, start, end, interval);
            return [registered, typeof inserted === "number" ? inserted : 0];
          });
          mustBe("following a process that is gone, in both forms", answers, [-EFAULT, -EFAULT]);
        },
      },
      shortCase,
    ],
  },
  {
    id: "MN-14",
    level: "model-only",
    owner: ["core"],
    rule: "a forked child MUST NOT inherit followers; of the parent only areas that are copied on write are announced",
    source: "copy_page_range; mmu_notifier_subscriptions_init",
    cases: [
      {
        when: "",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize } = subject;
          const shown = yield* succeed("mmap", subject.map());
          yield* user.load(shown);
          const own = yield* privateMemory(pageSize, [1, 2]);
          const recorder = yield* record();
          const child = yield* user.fork(function* () {
            yield* user.sleep(100);
            recorder.begun.splice(0);
            yield* user.store(own, 3);
            yield* user.munmap(own, 2 * pageSize);
            yield* user.munmap(shown, subject.pages * pageSize);
            mustBe("what the parent's follower is told of the child", recorder.begun, []);
          });
          const ranges = [{ event: "protection-page", start: own, end: own + 2 * pageSize }];
          mustBe("what the fork announces", recorder.begun, ranges);
          if (typeof child === "object") yield* user.join(child);
          yield* recorder.leave();
        },
      },
      {
        when: "a device and the child's memory",
        schedule: "sequential",
        about: ["mirroring"],
        *program({ subject }) {
          const { mirror, pageSize } = subject;
          if (mirror === undefined) return;
          const address = yield* succeed("mmap", subject.map({ sharing: "private" }));
          yield* subject.put(address, 7);
          const child = yield* user.fork(function* () {
            yield* user.sleep(1000);
            yield* user.store(address, 8);
            yield* user.munmap(address, pageSize);
          });
          yield* subject.put(address, 9);
          if (typeof child === "object") yield* user.join(child);
          must(
            yield* mirror.reaches(address, "read"),
            "the child's munmap takes the parent's translation away",
          );
          yield* mustAgree(subject, "page 0 of the parent", address);
        },
      },
    ],
  },
  {
    id: "MN-16",
    level: "model-only",
    owner: ["driver", "core"],
    rule: "registering MUST take the mmap lock for writing itself; a caller that holds it already waits for itself",
    source: "mmu_notifier_register; the skeleton of 2008, which calls it with the lock held",
    cases: [
      {
        when: "somebody reads",
        schedule: "sequential",
        kinds: "one",
        *program() {
          let isReading = true;
          const reader = yield* user.thread(function* () {
            yield* user.kernel(function* ({ kernel, thread }) {
              yield* thread.mm.lock.read();
              yield* kernel.time.sleep(1000);
              isReading = false;
              thread.mm.lock.unlockRead();
            });
          });
          yield* user.sleep(10);
          const recorder = yield* record();
          mustBe("whether somebody still holds the mmap lock when registering returns", isReading, false);
          yield* user.join(reader);
          yield* recorder.leave();
        },
      },
      {
        when: "the caller holds it",
        schedule: "sequential",
        provokes: ["deadlock"],
        kinds: "one",
        *program() {
          yield* user.kernel(function* ({ kernel, thread }) {
            yield* thread.mm.lock.write();
            yield* kernel.mappings.registerNotifier(thread.mm, { name: "of 2008" });
          });
        },
      },
    ],
  },
];

/** What the driver saw of the last followed process that died. */
function* letGoOf({ mirror }: Subject): Steps<LetGo> {
  const gone = mirror === undefined ? undefined : yield* mirror.letGo();
  if (gone === undefined) throw new LawBroken("no followed process has died, as far as the driver knows");
  return gone;
}

/** A process that maps the subject for the device ends, by itself after `stay` or by SIGKILL: how the device is stopped. */
function* dieAndLook(subject: Subject, stay: () => Steps<void>): Steps<void> {
  const child = yield* user.process(function* () {
    const address = yield* succeed("mmap", subject.map({ sharing: "private" }));
    for (let page = 0; page < subject.pages; page++) yield* subject.put(address + page * subject.pageSize, 7);
    yield* stay();
  });
  yield* user.sleep(1000);
  yield* user.kill(child, "SIGKILL");
  yield* user.join(child);
  const { stops, reachedAtStop, reachedLater } = yield* letGoOf(subject);
  mustBe("how often the device is told to stop", stops, 1);
  mustBe("translations that it has when it is told to stop", reachedAtStop, 0);
  mustBe("translations that it has once the process is gone", reachedLater, 0);
}
