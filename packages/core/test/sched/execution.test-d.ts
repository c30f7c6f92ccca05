import { describe, expectTypeOf, test } from "vitest";
import type {
  Atomic,
  MayInterleave,
  MaySleep,
  Point,
  Sleep,
  Sleepable,
} from "../../src/contract/execution.ts";
import type { MmuNotifier } from "../../src/contract/mmu-notifier.ts";
import type { VmOps } from "../../src/contract/vm-ops.ts";
import type { InterruptLine } from "../../src/device/interrupt-controller.ts";
import type { Mutex } from "../../src/sched/mutex.ts";
import type { Rcu } from "../../src/sched/rcu.ts";
import type { RwSemaphore } from "../../src/sched/rw-semaphore.ts";
import type { SpinLock } from "../../src/sched/spin-lock.ts";
import type { WaitQueue } from "../../src/sched/wait-queue.ts";

declare const spin: SpinLock;
declare const mutex: Mutex;
declare const semaphore: RwSemaphore;
declare const queue: WaitQueue;
declare const rcu: Rcu;
declare const line: InterruptLine;
declare function atomicWork(): Atomic<number>;
declare function sleepyWork(): Sleepable<number>;

describe("the two colours", () => {
  test("atomic code may be called from sleepable code, not the other way round", () => {
    expectTypeOf<Atomic<number>>().toExtend<Sleepable<number>>();
    expectTypeOf<Sleepable<number>>().not.toExtend<Atomic<number>>();
    expectTypeOf<Point>().not.toExtend<Sleep>();
    expectTypeOf<Atomic<number>>().toExtend<MaySleep<number>>();
    expectTypeOf<Sleepable<number>>().not.toExtend<MayInterleave<number>>();
  });

  test("sleepable code delegates to either", () => {
    function* body(): Sleepable<number> {
      return (yield* atomicWork()) + (yield* sleepyWork());
    }
    expectTypeOf(body).returns.toEqualTypeOf<Sleepable<number>>();
  });

  test("atomic code cannot delegate to sleepable code", () => {
    function* body(): Atomic<number> {
      // @ts-expect-error sleeping in atomic context does not compile
      return yield* sleepyWork();
    }
    expectTypeOf(body).returns.toEqualTypeOf<Atomic<number>>();
  });
});

describe("what takes a spinlock", () => {
  test("runs atomic bodies and answers with what they return", () => {
    expectTypeOf(spin.with(atomicWork)).toEqualTypeOf<Atomic<number>>();
    expectTypeOf(spin.withIrqsOff(atomicWork)).toEqualTypeOf<Atomic<number>>();
  });

  test("refuses a body that sleeps", () => {
    // @ts-expect-error a sleepable body
    spin.with(sleepyWork);
    // @ts-expect-error a sleepable body
    spin.withIrqsOff(sleepyWork);
    // @ts-expect-error a mutex sleeps
    spin.with(() => mutex.lock());
    // @ts-expect-error the mmap lock sleeps
    spin.with(() => semaphore.read());
    // @ts-expect-error waiting sleeps
    spin.with(() => queue.waitUntil(() => true, "killable"));
    // @ts-expect-error so does a body of several statements
    spin.with(function* () {
      yield* atomicWork();
      yield* sleepyWork();
    });
  });

  test("accepts what cannot sleep: waking, trying, another spinlock", () => {
    expectTypeOf(spin.with(() => queue.wakeAll())).toEqualTypeOf<Atomic<void>>();
    expectTypeOf(spin.with(() => mutex.tryLock())).toEqualTypeOf<Atomic<boolean>>();
    expectTypeOf(spin.with(() => spin.with(atomicWork))).toEqualTypeOf<Atomic<number>>();
  });
});

describe("other atomic contexts", () => {
  test("an RCU read section refuses a body that sleeps", () => {
    expectTypeOf(rcu.read(atomicWork)).toEqualTypeOf<Atomic<number>>();
    // @ts-expect-error a sleepable body
    rcu.read(sleepyWork);
    // @ts-expect-error a grace period cannot be waited for inside
    rcu.read(() => rcu.synchronize());
  });

  test("an interrupt handler cannot sleep", () => {
    // @ts-expect-error a sleepable handler
    line.request("driver", function* () {
      yield* sleepyWork();
      return "handled" as const;
    });
  });

  test("a wait's condition cannot sleep", () => {
    queue.waitUntil(function* () {
      return (yield* atomicWork()) > 0;
    }, "killable");
    // @ts-expect-error a sleepable condition
    queue.waitUntil(() => sleepyWork(), "killable");
  });

  test("a notifier's page callback and the veto of a split cannot sleep", () => {
    expectTypeOf<NonNullable<MmuNotifier["invalidatePage"]>>().returns.toEqualTypeOf<Atomic<void>>();
    const notifier: MmuNotifier = {
      name: "follower",
      // @ts-expect-error under the page-table lock
      *invalidatePage(): Sleepable<void> {
        yield* sleepyWork();
      },
    };
    const ops: VmOps = {
      name: "driver",
      // @ts-expect-error a veto is given without sleeping
      maySplit: () => sleepyWork(),
    };
    expectTypeOf(notifier).toExtend<MmuNotifier>();
    expectTypeOf(ops).toExtend<VmOps>();
  });

  test("a hook that may sleep answers with a value or with either colour", () => {
    const plain: VmOps = { name: "plain", nopage: () => ({ kind: "sigbus" }) };
    const sleepy: VmOps = {
      name: "sleepy",
      *nopage() {
        yield* sleepyWork();
        return { kind: "sigbus" };
      },
    };
    expectTypeOf(plain).toExtend<VmOps>();
    expectTypeOf(sleepy).toExtend<VmOps>();
    // @ts-expect-error an errno is no fault outcome
    expectTypeOf<VmOps>({ name: "wrong", nopage: () => -14 });
    // @ts-expect-error a pfn hook has no page to give
    expectTypeOf<VmOps>({ name: "wrong", nopagePfn: () => ({ kind: "page", page: 1 }) });
  });
});
