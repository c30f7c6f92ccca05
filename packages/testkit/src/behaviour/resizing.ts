import { EFAULT } from "@nopage/core";
import { markOf } from "../mark.ts";
import { createTestWorld } from "../test-world.ts";
import { type Behaviour, expectSame, loadPages, mapped, SIGBUS, SIGSEGV, type Subject } from "./behaviour.ts";

const marks = [0, 1, 2, 3].map(markOf);

/** What becomes of a mapping that is cut, moved, grown or shrunk. */
export function resizing(subject: Subject): readonly Behaviour[] {
  return [
    {
      title: "LC-10 after page 0 is unmapped, page 1 MUST still show object page 1",
      check() {
        const { device, run, machine } = createTestWorld(subject);
        const { pageSize } = machine.geometry;
        run(function* (thread) {
          const address = yield* mapped(thread, device);
          yield* thread.munmap(address, pageSize);
          expectSame("the pages", yield* loadPages(thread, address, 4), [SIGSEGV, ...marks.slice(1)]);
        });
      },
    },
    {
      title: "LC-08 a hole punched into the middle MUST leave both ends as they were",
      check() {
        const { device, run, machine } = createTestWorld(subject);
        const { pageSize } = machine.geometry;
        run(function* (thread) {
          const address = yield* mapped(thread, device);
          yield* loadPages(thread, address, 2);
          yield* thread.munmap(address + pageSize, 2 * pageSize);
          const seen = yield* loadPages(thread, address, 4);
          expectSame("the pages", seen, [marks[0], SIGSEGV, SIGSEGV, marks[3]]);
        });
      },
    },
    {
      title: "LC-12 a mapping that was moved, whole or in part, MUST show the same pages",
      check() {
        const { device, run, machine } = createTestWorld(subject);
        const { pageSize } = machine.geometry;
        const to = { moving: "may-move", newAddress: 0x1000_0000 } as const;
        run(function* (thread) {
          const address = yield* mapped(thread, device);
          yield* loadPages(thread, address, 2);
          const whole = { address, oldLength: 4 * pageSize, newLength: 4 * pageSize };
          expectSame("mremap", yield* thread.mremap({ ...whole, ...to }), to.newAddress);
          expectSame("the new place", yield* loadPages(thread, to.newAddress, 4), marks);
          expectSame("the old place", yield* thread.load(address), SIGSEGV);
          const part = { address: to.newAddress + 2 * pageSize, oldLength: pageSize, newLength: pageSize };
          yield* thread.mremap({ ...part, moving: "may-move", newAddress: 0x2000_0000 });
          expectSame("the part", yield* thread.load(0x2000_0000), marks[2]);
          const rest = [marks[0], marks[1], SIGSEGV, marks[3]];
          expectSame("the rest", yield* loadPages(thread, to.newAddress, 4), rest);
        });
      },
    },
    subject.strategy.supports.mremapGrow ? growing(subject) : refusingToGrow(subject),
  ];
}

function growing(subject: Subject): Behaviour {
  return {
    title: "LC-15 a grown mapping MUST show the object to its end, and past that MUST be SIGBUS",
    check() {
      const { device, run, machine } = createTestWorld(subject);
      const { pageSize } = machine.geometry;
      run(function* (thread) {
        const address = yield* mapped(thread, device, { pages: 2 });
        yield* thread.load(address);
        const request = { address, oldLength: 2 * pageSize, newLength: 6 * pageSize } as const;
        const grown = yield* thread.mremap({ ...request, moving: "may-move" });
        expectSame("the pages", yield* loadPages(thread, grown, 6), [...marks, SIGBUS, SIGBUS]);
      });
    },
  };
}

function refusingToGrow(subject: Subject): Behaviour {
  return {
    title: "LC-14 mremap MUST refuse to grow it with EFAULT, and MUST shrink it",
    check() {
      const { device, run, machine } = createTestWorld(subject);
      const { pageSize } = machine.geometry;
      run(function* (thread) {
        const address = yield* mapped(thread, device, { pages: 2 });
        const request = { address, oldLength: 2 * pageSize, moving: "may-move" } as const;
        expectSame("growing", yield* thread.mremap({ ...request, newLength: 3 * pageSize }), -EFAULT);
        expectSame("shrinking", yield* thread.mremap({ ...request, newLength: pageSize }), address);
        expectSame("the pages", yield* loadPages(thread, address, 2), [marks[0], SIGSEGV]);
      });
    },
  };
}
