import { EINVAL, EWOULDBLOCK, VM_READ } from "@nopage/core";
import { markOf } from "../mark.ts";
import { mapTestDevice } from "../test-device.ts";
import { createTestWorld } from "../test-world.ts";
import {
  type Behaviour,
  expectSame,
  isOfPages,
  loadPages,
  mapped,
  mayBePrivate,
  SIGSEGV,
  type Subject,
} from "./behaviour.ts";

const marks = [0, 1, 2, 3].map(markOf);

/** What a mapping keeps alive, who gets a copy of it, and how it ends. */
export function lifetime(subject: Subject): readonly Behaviour[] {
  return [
    {
      title: "LC-18 MO-01 a mapping MUST outlive its descriptor, and MUST keep the module loaded",
      check() {
        const { device, run, machine } = createTestWorld(subject);
        const [module] = machine.devices.modules;
        run(function* (thread) {
          const address = yield* mapped(thread, device);
          expectSame("unloading", module?.unload(), -EWOULDBLOCK);
          yield* thread.munmap(address, 4 * machine.geometry.pageSize);
          expectSame("unloading afterwards", module?.unload(), 0);
        });
      },
    },
    {
      title: "LC-19 a process that exits MUST leave nothing behind",
      check() {
        const { device, run } = createTestWorld(subject);
        run(function* (thread) {
          yield* loadPages(thread, yield* mapped(thread, device), 3);
          thread.exit(1);
        });
      },
    },
    {
      title: "RE-11 a forked child MUST see the same pages, whatever its parent unmaps",
      check() {
        const { device, run, machine } = createTestWorld(subject);
        run(function* (thread) {
          const address = yield* mapped(thread, device);
          yield* loadPages(thread, address, 2);
          const child = yield* thread.fork(function* (forked) {
            yield* forked.nanosleep(10);
            expectSame("the child", yield* loadPages(forked, address, 4), marks);
            yield* forked.store(address + 8, 9);
          });
          yield* thread.munmap(address, 4 * machine.geometry.pageSize);
          expectSame("the parent", yield* thread.load(address), SIGSEGV);
          if (typeof child !== "number") yield* child.waitForEnd();
          expectSame("its store", yield* thread.load((yield* mapped(thread, device)) + 8), 9);
        });
      },
    },
    mayBePrivate(subject) ? copying(subject) : refusingCopies(subject),
    ...(isOfPages(subject) ? [outliving(subject)] : []),
  ];
}

function copying(subject: Subject): Behaviour {
  return {
    title: "FR-14 RE-12 a store to a private mapping MUST make a copy that quiesce leaves alone",
    check() {
      const { device, run } = createTestWorld(subject);
      run(function* (thread) {
        const own = yield* mapped(thread, device, { sharing: "private" });
        const shared = yield* mapped(thread, device);
        expectSame("before", yield* loadPages(thread, own, 2), marks.slice(0, 2));
        yield* thread.store(own, 7);
        const { pageSize } = thread.machine.geometry;
        yield* thread.store(own + 3 * pageSize + 8, 8);
        const expected = [7, marks[1], marks[2], marks[3]];
        expectSame("the copies", yield* loadPages(thread, own, 4), expected);
        expectSame("the object", yield* loadPages(thread, shared, 4), marks);
        yield* device.binding.quiesce();
        expectSame("a copy meanwhile", yield* thread.load(own), 7);
        yield* device.binding.resume();
        expectSame("afterwards", yield* loadPages(thread, own, 4), expected);
        expectSame("the last copy", yield* thread.load(own + 3 * pageSize + 8), 8);
      });
    },
  };
}

function refusingCopies(subject: Subject): Behaviour {
  return {
    title: "PF-01 a private mapping that may ever be written MUST be refused with EINVAL",
    check() {
      const { device, run } = createTestWorld(subject);
      run(function* (thread) {
        const writable = { sharing: "private" } as const;
        expectSame("writable", yield* mapTestDevice(thread, device, writable), -EINVAL);
        const readable = { sharing: "private", protection: VM_READ } as const;
        expectSame("may be written", yield* mapTestDevice(thread, device, readable), -EINVAL);
      });
    },
  };
}

function outliving(subject: Subject): Behaviour {
  return {
    title:
      "RC-01 RC-03 pages that the driver frees while they are mapped MUST live until the last entry goes",
    check() {
      const { device, machine, shown } = createTestWorld(subject);
      machine.spawn("mapper", function* (thread) {
        const address = yield* mapped(thread, device);
        yield* loadPages(thread, address, 3);
        shown.release();
        expectSame("the pages", yield* loadPages(thread, address, 3), marks.slice(0, 3));
      });
      const { status } = machine.sched.run();
      for (const { failure } of machine.sched.tasks) if (failure !== undefined) throw failure;
      expectSame("the run", status, "finished");
      expectSame(
        "violations",
        machine.violations.list.map(({ message }) => message),
        [],
      );
      expectSame("owners of frames", [...machine.memory.frames.inUseByOwner().keys()], []);
    },
  };
}
