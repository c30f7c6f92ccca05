import { EAGAIN, EINVAL, type MmuNotifier, oomReap, VM_READ } from "@nopage/core";
import { must, mustBe, mustFail, succeed } from "../../program/expect.ts";
import type { Inside } from "../../program/kernel-call.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw } from "../law.ts";
import { IntervalRecorder } from "../support/interval.ts";
import { ownDevice } from "../support/own-device.ts";
import { privateMemory } from "../support/private-memory.ts";
import { type Recorder, record } from "../support/recorder.ts";
import { refusingCases } from "./following.ts";
import { mustAgree } from "./taking-away.ts";
import { refuse } from "./windows.ts";

/** What callbacks are told, and what they may do. */
export const callbackLaws: readonly AnyLaw[] = [
  {
    id: "MN-05",
    level: "model-only",
    owner: ["strategy", "core"],
    rule: "a callback of a range that may not block MUST NOT sleep: it refuses, and the reaper leaves that area; a refusal of a range that may block MUST be ignored",
    source: "mn_itree_invalidate; __oom_reap_task_mm",
    cases: [
      {
        when: "the reaper and a device",
        schedule: "sequential",
        about: ["mirroring"],
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map({ sharing: "private" }));
          yield* subject.put(address, 7);
          const answer = yield* user.kernel(({ thread }) => oomReap(thread.mm));
          must(answer === 0 || answer === -EAGAIN, `the reaper answers ${answer}`);
          const seen = yield* subject.reach(address);
          mustBe("page 0 after the reaper", seen, answer === 0 ? subject.markOf(0) : 7);
          yield* mustAgree(subject, "page 0", address);
        },
      },
      {
        when: "the reaper and who refuses",
        schedule: "sequential",
        *program({ subject }) {
          const own = yield* privateMemory(subject.pageSize, [7]);
          const leave = yield* refuse();
          const reap = () => user.kernel(({ thread }) => oomReap(thread.mm));
          mustFail("reaping what a follower does not let go of", yield* reap(), EAGAIN);
          mustBe("memory that was left", yield* user.load(own), 7);
          yield* leave();
          mustBe("reaping once it is gone", yield* reap(), 0);
          mustBe("memory that was reaped", yield* user.load(own), 0);
        },
      },
      {
        when: "a callback that sleeps all the same",
        schedule: "sequential",
        provokes: ["sleep-in-atomic"],
        *program({ subject }) {
          yield* privateMemory(subject.pageSize, [7]);
          yield* follow((kernel) => ({
            name: "sleeps",
            *invalidateRangeBegin() {
              yield* kernel.time.sleep(10);
              return 0;
            },
          }));
          yield* user.kernel(({ thread }) => oomReap(thread.mm));
        },
      },
      {
        when: "an error where one may wait",
        schedule: "sequential",
        provokes: ["contract"],
        *program({ subject }) {
          const own = yield* privateMemory(subject.pageSize, [7]);
          yield* follow(() => ({ name: "refuses always", invalidateRangeBegin: () => -EINVAL }));
          mustBe("MADV_DONTNEED", yield* user.madvise(own, subject.pageSize, "dontneed"), 0);
          mustBe("memory that was dropped", yield* user.load(own), 0);
        },
      },
      {
        when: "the reaper and who is in the middle of a change",
        schedule: "sequential",
        kinds: "one",
        *program({ subject: { pageSize } }) {
          const own = yield* privateMemory(pageSize, [7]);
          const device = yield* ownDevice({
            *mmap(_area, { kernel }) {
              yield* kernel.time.sleep(10_000);
              return 0;
            },
          });
          const mapper = yield* user.thread(function* () {
            yield* device.mapped();
          }, "mapper");
          yield* user.sleep(1000);
          const reap = () => user.kernel(({ thread }) => oomReap(thread.mm));
          mustFail("reaping while an mmap hook runs", yield* reap(), EAGAIN);
          mustBe("the thread that maps", yield* user.stateOf(mapper), "blocked");
          mustBe("memory that was left", yield* user.load(own), 7);
          yield* user.join(mapper);
          mustBe("reaping once it is done", yield* reap(), 0);
          mustBe("memory that was reaped", yield* user.load(own), 0);
          yield* device.release();
        },
      },
      ...refusingCases,
    ],
  },
  {
    id: "MN-15",
    level: "model-only",
    owner: ["core"],
    rule: "the kind of event MUST say what takes the range away: unmap for munmap, mremap, exit and the reaper, clear for what is dropped or copied, protection for mprotect and fork, release for the end",
    source: "callers of mmu_notifier_range_init in mm/ and kernel/events, Linux 6.1",
    cases: [
      {
        when: "private memory",
        schedule: "sequential",
        kinds: "one",
        *program({ subject: { pageSize } }) {
          const own = yield* privateMemory(pageSize, [1, 2, 3, 4, 5]);
          const recorder = yield* record();
          yield* user.madvise(own, pageSize, "dontneed");
          told(recorder, "MADV_DONTNEED", "clear");
          yield* user.mprotect(own + pageSize, pageSize, VM_READ);
          told(recorder, "mprotect", "protection-vma");
          const child = yield* user.fork(function* () {
            yield* user.sleep(1000);
          });
          told(recorder, "fork", "protection-page");
          yield* user.store(own + 2 * pageSize, 9);
          told(recorder, "a store to a page that is shared since the fork", "clear");
          if (typeof child === "object") yield* user.join(child);
          const size = { oldLength: pageSize, newLength: pageSize, newAddress: 0x1000_0000 };
          yield* succeed("mremap", user.mremap({ address: own + 3 * pageSize, ...size, moving: "may-move" }));
          told(recorder, "mremap", "unmap");
          yield* user.munmap(own + 4 * pageSize, pageSize);
          told(recorder, "munmap", "unmap");
          yield* user.kernel(({ thread }) => oomReap(thread.mm));
          told(recorder, "the OOM reaper", "unmap");
          yield* recorder.leave();
        },
      },
      {
        when: "what the driver takes away",
        schedule: "sequential",
        excluded: ({ subject }) => (subject.gate === undefined ? "it has no gate" : undefined),
        *program({ subject }) {
          const shown = yield* succeed("mmap", subject.map());
          yield* user.load(shown);
          const recorder = yield* record();
          yield* subject.gate?.close() ?? nothing();
          told(recorder, "the driver's revocation", "clear");
          yield* subject.gate?.open() ?? nothing();
          yield* recorder.leave();
        },
      },
      {
        when: "the end of the process",
        schedule: "sequential",
        kinds: "one",
        *program({ subject: { pageSize } }) {
          const interval = new IntervalRecorder();
          const child = yield* user.process(function* () {
            const own = yield* privateMemory(pageSize, [1]);
            yield* interval.follow(own, pageSize);
          });
          yield* user.join(child);
          mustBe("what a follower of a range is told", interval.events, ["release", "unmap"]);
          yield* interval.leave();
        },
      },
    ],
  },
  {
    id: "MN-17",
    level: "model-only",
    owner: ["strategy"],
    rule: "a callback MUST NOT drop the last use of the process, take the mmap lock, stop following, or wait for who waits for the invalidation",
    source: "CVE-2025-38520; lockdep annotations of __mmu_notifier_invalidate_range_start",
    cases: [
      {
        when: "a device, its process's end and a file that shrinks",
        schedule: "racy",
        about: ["mirroring"],
        *program({ subject }) {
          const child = yield* user.process(function* () {
            const descriptor = yield* succeed("open", subject.open());
            const address = yield* succeed("mmap", subject.map({ pages: 1, descriptor }));
            yield* subject.reach(address);
            yield* user.thread(function* () {
              yield* user.ftruncate(descriptor, 0);
            });
          });
          yield* user.join(child);
        },
      },
      {
        when: "two invalidations, and a driver that waits for them",
        schedule: "racy",
        about: ["mirroring"],
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* succeed("mmap", subject.map({ sharing: "private", pages: 2 }));
          for (const page of [0, 1]) yield* user.store(address + page * pageSize, 7);
          const other = yield* user.thread(function* () {
            for (const page of [0, 1]) yield* user.madvise(address + page * pageSize, pageSize, "dontneed");
          });
          yield* subject.reach(address);
          yield* user.join(other);
          for (const page of [0, 1]) yield* mustAgree(subject, `page ${page}`, address + page * pageSize);
        },
      },
      {
        when: "a callback that stops following",
        schedule: "sequential",
        provokes: ["contract"],
        *program({ subject }) {
          const own = yield* privateMemory(subject.pageSize, [7]);
          yield* follow((kernel) => {
            const follower: MmuNotifier = {
              name: "leaves in its callback",
              *invalidateRangeBegin({ mm }) {
                yield* kernel.mappings.unregisterNotifier(mm, follower);
                return 0;
              },
            };
            return follower;
          });
          yield* user.madvise(own, subject.pageSize, "dontneed");
        },
      },
      {
        when: "a callback that takes the mmap lock",
        schedule: "sequential",
        provokes: ["deadlock"],
        *program({ subject }) {
          const own = yield* privateMemory(subject.pageSize, [7]);
          yield* follow(() => ({
            name: "takes the mmap lock",
            *invalidateRangeBegin({ mm }) {
              yield* mm.lock.read();
              mm.lock.unlockRead();
              return 0;
            },
          }));
          yield* user.mprotect(own, subject.pageSize, VM_READ);
        },
      },
      {
        when: "a callback that drops the last use",
        schedule: "sequential",
        provokes: ["contract", "deadlock"],
        *program({ subject }) {
          yield* user.kernel(function* ({ machine, kernel }) {
            const mm = machine.createMm("dying");
            yield* kernel.mappings.registerNotifier(mm, {
              name: "drops the last use",
              *invalidateRangeBegin() {
                yield* kernel.user.drop(mm);
                return 0;
              },
            });
            yield* mm.notifiers.begin(0, subject.pageSize, "unmap");
          });
        },
      },
    ],
  },
];

function* nothing(): Steps<void> {}

/** The follower must have been told of these kinds of events since it was last asked, and of no others. */
function told(recorder: Recorder, what: string, event: string): void {
  mustBe(`the kinds of events that ${what} announces`, recorder.takeEvents(), [event]);
}

/** Has a follower follow the calling process, to its end. */
function* follow(make: (kernel: Inside["kernel"]) => MmuNotifier): Steps<void> {
  yield* user.kernel(({ kernel, thread }) => kernel.mappings.registerNotifier(thread.mm, make(kernel)));
}
