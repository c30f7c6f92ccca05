import { mustBe, SIGBUS, SIGSEGV_ACCERR, SIGSEGV_MAPERR, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject } from "../../subject/subject.ts";
import type { AnyLaw } from "../law.ts";
import {
  A_WHILE,
  doesNotWait,
  gateOf,
  hasNoGate,
  Moment,
  mustBeHeldOff,
  mustHoldOff,
  mustShowAll,
  presentPages,
  startTouch,
} from "../support/taking-away.ts";

/** The kinds of access. */
const READ = 1;
const READ_WRITE = 3;

/** Something that may happen to a mapping while a thread waits for it, and how the thread's load must then end. */
interface Change {
  readonly when: string;
  readonly end: unknown;
  make(subject: Subject, address: number): Steps<number>;
}

const changes: readonly Change[] = [
  {
    when: "it is unmapped",
    end: SIGSEGV_MAPERR,
    make: ({ pages, pageSize }, address) => user.munmap(address, pages * pageSize),
  },
  {
    when: "nobody may touch it any more",
    end: SIGSEGV_ACCERR,
    make: ({ pages, pageSize }, address) => user.mprotect(address, pages * pageSize, 0),
  },
  {
    when: "other memory takes its place",
    end: 0,
    make: ({ pages, pageSize }, address) =>
      user.mmap({
        address,
        placement: "fixed",
        length: pages * pageSize,
        protection: READ_WRITE,
        sharing: "private",
      }),
  },
  {
    when: "it moves away",
    end: SIGSEGV_MAPERR,
    make: function* ({ pages, pageSize }, address) {
      const length = pages * pageSize;
      // Somewhere else, which is free because it was a moment ago.
      const to = yield* user.mmap({ length, protection: READ, sharing: "private" });
      const moved = yield* user.mremap({
        address,
        oldLength: length,
        newLength: length,
        moving: "may-move",
        newAddress: to,
      });
      return moved === to ? 0 : moved;
    },
  },
];

/** What a thread that waits for the object owes to others, and is owed. */
export const waiterLaws: readonly AnyLaw[] = [
  {
    id: "QU-04",
    level: "capability",
    owner: ["strategy"],
    rule: "a thread that waits MUST NOT keep its siblings from mapping, touching and unmapping other memory",
    source:
      "drivers/gpu/drm/ttm/ttm_bo_vm.c ttm_bo_vm_fault_idle, which drops the mmap lock; fs/userfaultfd.c",
    cases: [
      {
        when: "",
        schedule: "sequential",
        excluded: hasNoGate,
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* gateOf(subject).close();
          const touches = yield* mustHoldOff(subject, "it", address);
          // A wait with the mmap lock held would stop whoever maps, and with it the sibling.
          let isDone = false;
          const sibling = yield* user.thread(function* () {
            const request = { length: pageSize, protection: READ_WRITE, sharing: "private" } as const;
            const other = yield* succeed("mmap of other memory", user.mmap(request));
            mustBe("a store to other memory", yield* user.store(other, 7), undefined);
            mustBe("munmap of other memory", yield* user.munmap(other, pageSize), 0);
            isDone = true;
          }, "sibling");
          yield* user.settle();
          mustBe("that the sibling got on while a thread waits", isDone, true);
          for (const touch of touches) yield* mustBeHeldOff(subject, "the load", touch);
          yield* gateOf(subject).open();
          for (const { actor } of [...touches, { actor: sibling }]) yield* user.join(actor);
          yield* mustShowAll(subject, "afterwards", address);
        },
      },
    ],
  },
  {
    id: "QU-05",
    level: "capability",
    owner: ["strategy"],
    rule: "SIGKILL MUST end a thread that waits at once; another signal MUST be taken at once, and the access starts again",
    source: "ttm_bo_vm_fault_idle; arch/x86/mm/fault.c fault_signal_pending",
    cases: [
      {
        when: "SIGKILL",
        schedule: "sequential",
        excluded: doesNotWait,
        *program({ subject }) {
          const [page = 0] = presentPages(subject);
          const victim = yield* user.process(function* () {
            const address = yield* succeed("mmap", subject.map());
            yield* user.sleep(A_WHILE);
            yield* user.load(address + page * subject.pageSize);
          }, "victim");
          yield* user.sleep(A_WHILE / 2);
          yield* gateOf(subject).close();
          yield* user.settle();
          mustBe("the victim", yield* user.stateOf(victim), "blocked");
          yield* user.kill(victim, "SIGKILL");
          yield* user.settle();
          mustBe("the victim after SIGKILL", yield* user.stateOf(victim), "ended");
          mustBe("its end", yield* user.join(victim), { signal: "SIGKILL" });
          yield* gateOf(subject).open();
        },
      },
      {
        when: "SIGUSR1",
        schedule: "sequential",
        excluded: doesNotWait,
        *program({ subject }) {
          yield* user.countSignal("SIGUSR1");
          const address = yield* succeed("mmap", subject.map());
          yield* gateOf(subject).close();
          const touch = yield* startTouch(address);
          yield* user.settle();
          yield* mustBeHeldOff(subject, "a load", touch);
          yield* user.kill(touch.actor, "SIGUSR1");
          yield* user.settle();
          mustBe(
            "the number of signals taken while the thread waits",
            yield* user.signalsTaken("SIGUSR1"),
            1,
          );
          yield* mustBeHeldOff(subject, "the load that a signal interrupted", touch);
          yield* gateOf(subject).open();
          yield* user.join(touch.actor);
          mustBe("the load in the end", touch.seen, subject.markOf(0));
        },
      },
      {
        when: "SIGKILL at any moment",
        schedule: "racy",
        excluded: doesNotWait,
        *program({ subject }) {
          yield* gateOf(subject).close();
          const victim = yield* user.process(function* () {
            const address = yield* subject.map();
            if (address > 0) yield* user.load(address);
            throw new Error("the load ended before the object was given back");
          }, "victim");
          yield* user.kill(victim, "SIGKILL");
          yield* user.join(victim);
          yield* gateOf(subject).open();
        },
      },
    ],
  },
  {
    id: "QU-06",
    level: "capability",
    owner: ["strategy"],
    rule: "giving the object back MUST wake everybody who waits, one that is just about to go to sleep included",
    source: "fs/userfaultfd.c handle_userfault, which looks again after it has queued",
    cases: [
      {
        when: "everybody waits",
        schedule: "sequential",
        excluded: doesNotWait,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* gateOf(subject).close();
          const own = yield* mustHoldOff(subject, "it", address);
          const child = yield* user.fork(() => mustShowAll(subject, "in the child", address));
          yield* user.settle();
          yield* gateOf(subject).open();
          yield* user.settle();
          const pages = presentPages(subject);
          for (const [index, { seen }] of own.entries()) {
            mustBe("a load that waited", seen ?? "not over", subject.markOf(pages[index] ?? 0));
          }
          if (typeof child !== "number") mustBe("the child", yield* user.stateOf(child), "ended");
        },
      },
      {
        when: "somebody is about to wait",
        schedule: "racy",
        excluded: hasNoGate,
        *program({ subject }) {
          const moment = new Moment();
          const address = yield* succeed("mmap", subject.map());
          yield* moment.close(subject);
          const one = yield* user.thread(() => moment.touch(subject, address, 0), "one");
          yield* moment.open(subject);
          yield* user.join(one);
          yield* mustShowAll(subject, "afterwards", address);
        },
      },
    ],
  },
  {
    id: "QU-08",
    level: "capability",
    owner: ["core", "strategy"],
    rule: "a thread that wakes MUST find what is mapped then, or nothing, and MUST NOT use what was mapped when it went to sleep",
    source: "arch/x86/mm/fault.c do_user_addr_fault: after a retry the area is looked up again",
    cases: [
      ...changes.map(
        ({ when, end, make }) =>
          ({
            when,
            schedule: "sequential",
            excluded: doesNotWait,
            *program({ subject }: { readonly subject: Subject }) {
              const address = yield* succeed("mmap", subject.map());
              yield* gateOf(subject).close();
              const touch = yield* startTouch(address);
              yield* user.settle();
              yield* mustBeHeldOff(subject, "a load", touch);
              yield* succeed("the change", make(subject, address));
              yield* gateOf(subject).open();
              yield* user.join(touch.actor);
              mustBe("the load that waited meanwhile", touch.seen, end);
            },
          }) as const,
      ),
      {
        when: "the device is pulled out",
        schedule: "sequential",
        excluded: (stage) =>
          hasNoGate(stage) ?? (stage.subject.remove === undefined ? "it cannot be pulled out" : undefined),
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* gateOf(subject).close();
          const touches = yield* mustHoldOff(subject, "it", address);
          yield* subject.remove?.() ?? user.settle();
          yield* user.settle();
          for (const { seen } of touches)
            mustBe("the load that waited meanwhile", seen ?? "not over", SIGBUS);
        },
      },
      {
        when: "the process exits",
        schedule: "sequential",
        excluded: doesNotWait,
        *program({ subject }) {
          yield* gateOf(subject).close();
          const other = yield* user.process(function* () {
            const address = yield* subject.map();
            if (address > 0) yield* startTouch(address);
            yield* user.sleep(1000);
            yield* user.exit(3);
          });
          yield* user.settle();
          mustBe("the process whose thread waited", yield* user.stateOf(other), "ended");
          mustBe("its end", yield* user.join(other), { status: 3 });
          yield* gateOf(subject).open();
        },
      },
      {
        when: "it is unmapped at any moment",
        schedule: "racy",
        excluded: hasNoGate,
        *program({ subject }) {
          const moment = new Moment();
          const address = yield* succeed("mmap", subject.map());
          const sibling = yield* user.thread(() => moment.touch(subject, address, 0, [SIGSEGV_MAPERR]));
          yield* moment.close(subject);
          const length = subject.pages * subject.pageSize;
          yield* succeed("munmap", user.munmap(address, length));
          yield* moment.open(subject);
          yield* user.join(sibling);
        },
      },
    ],
  },
];
