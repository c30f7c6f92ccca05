import { EAGAIN, ENODEV, type Sleepable, type UserThread } from "@nopage/core";
import { entriesOf } from "../entries-of.ts";
import { markOf } from "../mark.ts";
import { mapTestDevice } from "../test-device.ts";
import { createTestWorld } from "../test-world.ts";
import { type Behaviour, expectSame, loadPages, mapped, SIGBUS, type Subject } from "./behaviour.ts";

const marks = [0, 1, 2, 3].map(markOf);
const TRANSFER_NS = 1000;

/** What a mapping does while the device must not be touched, and afterwards. */
export function quiescing(subject: Subject): readonly Behaviour[] {
  const waits = subject.strategy.supports.whileRevoked === "wait";
  const isEager = subject.strategy.supports.populate === "eager";
  return [
    {
      title: waits
        ? "QU-06 a touch of a quiesced mapping MUST wait for the last resume and then see the page"
        : "QU-03 a touch of a quiesced mapping MUST be SIGBUS until the last resume, and then see the page",
      check() {
        const { device, run, kernel } = createTestWorld(subject);
        const { binding } = device;
        run(function* (thread) {
          const address = yield* mapped(thread, device);
          yield* loadPages(thread, address, 4);
          yield* binding.quiesce();
          yield* binding.quiesce();
          yield* binding.resume();
          const ends = touchMeanwhile(thread, address);
          yield* thread.nanosleep(TRANSFER_NS);
          expectSame("ended during the transfer", ends.length, waits ? 0 : 1);
          yield* binding.resume();
          yield* thread.nanosleep(TRANSFER_NS);
          expectSame("the touch", ends, [waits ? `${marks[1]} at ${TRANSFER_NS}` : `${SIGBUS} at 0`]);
          expectSame("afterwards", yield* loadPages(thread, address, 4), marks);
          expectSame("the clock", kernel.time.now(), 2 * TRANSFER_NS);
        });
      },
    },
    {
      title: isEager
        ? "QU-09 mmap of a quiesced device MUST be refused with EAGAIN"
        : "QU-09 mmap of a quiesced device MUST make no entry",
      check() {
        const { device, run, machine } = createTestWorld(subject);
        run(function* (thread) {
          yield* device.binding.quiesce();
          const address = yield* mapTestDevice(thread, device);
          if (isEager) expectSame("mmap", address, -EAGAIN);
          expectSame("entries", entriesOf(machine, device), 0);
          yield* device.binding.resume();
          const usable = isEager ? yield* mapped(thread, device) : address;
          expectSame("after resume", yield* loadPages(thread, usable, 4), marks);
        });
      },
    },
    {
      title: "QU-09 a child forked while the device is quiesced MUST see the pages after resume",
      check() {
        const { device, run, machine } = createTestWorld(subject);
        run(function* (thread) {
          const address = yield* mapped(thread, device);
          yield* loadPages(thread, address, 4);
          yield* device.binding.quiesce();
          yield* thread.fork(function* (child) {
            yield* child.nanosleep(TRANSFER_NS);
            expectSame("the child", yield* loadPages(child, address, 4), marks);
          });
          expectSame("entries", entriesOf(machine, device), 0);
          yield* device.binding.resume();
        });
      },
    },
    {
      title: "MO-04 a removed device MUST be SIGBUS in every mapping, and MUST NOT be mapped again",
      check() {
        const { device, run } = createTestWorld(subject);
        run(function* (thread) {
          const address = yield* mapped(thread, device);
          yield* loadPages(thread, address, 2);
          yield* device.binding.quiesce();
          const ends = touchMeanwhile(thread, address);
          yield* thread.nanosleep(TRANSFER_NS);
          yield* device.binding.remove();
          yield* thread.nanosleep(TRANSFER_NS);
          expectSame("who was waiting", ends, [`${SIGBUS} at ${waits ? TRANSFER_NS : 0}`]);
          expectSame("the pages", yield* loadPages(thread, address, 2), [SIGBUS, SIGBUS]);
          expectSame("mmap", yield* mapTestDevice(thread, device), -ENODEV);
        });
      },
    },
    {
      title: "TR-04 a page past the end of a shrunk object MUST be SIGBUS, and there again when it has grown",
      check() {
        const { device, run, shown } = createTestWorld(subject);
        run(function* (thread) {
          const address = yield* mapped(thread, device);
          yield* loadPages(thread, address, 4);
          yield* device.binding.replace(shown.memory, 2, nothing);
          const [first, second] = marks;
          const shrunk = [first, second, SIGBUS, SIGBUS];
          expectSame("shrunk", yield* loadPages(thread, address, 4), shrunk);
          yield* device.binding.replace(shown.memory, 4, nothing);
          expectSame("grown", yield* loadPages(thread, address, 4), marks);
        });
      },
    },
  ];
}

/** Touches page 1 in a thread of its own: how each touch ends, and when. */
function touchMeanwhile(thread: UserThread, address: number): readonly string[] {
  const ends: string[] = [];
  const { pageSize } = thread.machine.geometry;
  thread.spawn(function* (sibling) {
    const value = yield* sibling.load(address + pageSize);
    const seen = typeof value === "number" ? value : `${value.signal} ${value.code}`;
    ends.push(`${seen} at ${thread.machine.sched.now}`);
  });
  return ends;
}

function* nothing(): Sleepable<void> {}
