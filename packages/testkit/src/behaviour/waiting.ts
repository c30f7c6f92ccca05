import { VM_READ, VM_WRITE } from "@nopage/core";
import { markOf } from "../mark.ts";
import { createTestWorld } from "../test-world.ts";
import { type Behaviour, expectSame, mapped, SIGSEGV, type Subject } from "./behaviour.ts";

const TRANSFER_NS = 1000;

/** What a thread that waits at the gate owes to others and to itself; nothing for a strategy that does not wait. */
export function waiting(subject: Subject): readonly Behaviour[] {
  if (subject.strategy.supports.whileRevoked !== "wait") return [];
  return [
    {
      title: "QU-04 while a thread waits, its siblings MUST be able to map, touch and unmap other memory",
      check() {
        const { device, run, machine } = createTestWorld(subject);
        const { pageSize } = machine.geometry;
        run(function* (thread) {
          const address = yield* mapped(thread, device);
          yield* device.binding.quiesce();
          let seen: unknown;
          thread.spawn(function* (sibling) {
            seen = yield* sibling.load(address);
          });
          yield* thread.nanosleep(TRANSFER_NS);
          const request = { length: pageSize, protection: VM_READ | VM_WRITE, sharing: "private" } as const;
          const other = yield* thread.mmap(request);
          expectSame("the store", yield* thread.store(other, 7), undefined);
          expectSame("munmap", yield* thread.munmap(other, pageSize), 0);
          expectSame("the waiter", seen, undefined);
          yield* device.binding.resume();
          yield* thread.nanosleep(TRANSFER_NS);
          expectSame("the waiter", seen, markOf(0));
        });
      },
    },
    {
      title: "QU-05 SIGKILL MUST end a process whose thread waits",
      check() {
        const { device, run, machine } = createTestWorld(subject);
        run(function* (thread) {
          yield* device.binding.quiesce();
          const victim = machine.spawn("victim", function* (other) {
            yield* other.load(yield* mapped(other, device));
          });
          yield* thread.nanosleep(TRANSFER_NS);
          victim.kill("SIGKILL");
          yield* victim.waitForEnd();
          expectSame("its end", JSON.stringify(victim.exit), '{"signal":"SIGKILL"}');
          yield* device.binding.resume();
        });
      },
    },
    {
      title: "QU-05 another signal MUST be handled at once, and the access MUST start again",
      check() {
        const { device, run, machine } = createTestWorld(subject);
        run(function* (thread) {
          yield* device.binding.quiesce();
          const handled: number[] = [];
          const other = machine.spawn("other", function* (waiter) {
            waiter.sigaction("SIGUSR1", () => handled.push(machine.sched.now));
            const value = yield* waiter.load(yield* mapped(waiter, device));
            expectSame("the value", value, markOf(0));
          });
          yield* thread.nanosleep(TRANSFER_NS);
          other.kill("SIGUSR1");
          yield* thread.nanosleep(TRANSFER_NS);
          expectSame("handled at", handled, [TRANSFER_NS]);
          yield* device.binding.resume();
        });
      },
    },
    {
      title: "QU-08 a mapping that is unmapped while a thread waits MUST give it SIGSEGV",
      check() {
        const { device, run, machine } = createTestWorld(subject);
        run(function* (thread) {
          const address = yield* mapped(thread, device);
          yield* device.binding.quiesce();
          thread.spawn(function* (sibling) {
            expectSame("the waiter", yield* sibling.load(address), SIGSEGV);
          });
          yield* thread.nanosleep(TRANSFER_NS);
          yield* thread.munmap(address, 4 * machine.geometry.pageSize);
          yield* device.binding.resume();
        });
      },
    },
  ];
}
