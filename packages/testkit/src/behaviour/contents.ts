import { EINVAL } from "@nopage/core";
import { markOf } from "../mark.ts";
import { mapTestDevice } from "../test-device.ts";
import { createTestWorld } from "../test-world.ts";
import { type Behaviour, expectSame, isOfPages, loadPages, mapped, type Subject } from "./behaviour.ts";

const marks = [0, 1, 2, 3].map(markOf);

/** What a mapping shows, and what showing it costs. */
export function contents(subject: Subject): readonly Behaviour[] {
  const isEager = subject.strategy.supports.populate === "eager";
  return [
    {
      title: "FR-16 every object page MUST show at its place, from whichever page the mapping starts",
      check() {
        const { device, run } = createTestWorld(subject);
        run(function* (thread) {
          for (let firstPage = 0; firstPage < 4; firstPage++) {
            const address = yield* mapped(thread, device, { firstPage });
            const seen = yield* loadPages(thread, address, 4 - firstPage);
            expectSame(`from page ${firstPage} on`, seen, marks.slice(firstPage));
          }
        });
      },
    },
    {
      title: "MM-07 a range that is not wholly inside the object MUST be refused with EINVAL",
      check() {
        const { device, run } = createTestWorld(subject);
        run(function* (thread) {
          for (const range of [{ pages: 5 }, { firstPage: 1, pages: 4 }, { firstPage: 4, pages: 1 }]) {
            expectSame(JSON.stringify(range), yield* mapTestDevice(thread, device, range), -EINVAL);
          }
        });
      },
    },
    {
      title: "a store MUST be seen by every process that maps the object",
      check() {
        const { device, run } = createTestWorld(subject);
        run(function* (thread) {
          const address = yield* mapped(thread, device);
          yield* thread.store(address + 8, 42);
          const other = thread.machine.spawn("other", function* (reader) {
            expectSame("the other", yield* reader.load((yield* mapped(reader, device)) + 8), 42);
          });
          yield* other.waitForEnd();
        });
      },
    },
    {
      title: isEager
        ? "RE-01 no touch MUST fault after mmap"
        : "FR-13 the first touch of a page MUST fault and no later one",
      check() {
        const { device, run } = createTestWorld(subject);
        run(function* (thread) {
          const address = yield* mapped(thread, device);
          yield* loadPages(thread, address, 4);
          yield* loadPages(thread, address, 4);
          expectSame("minor faults", thread.minorFaults, isEager ? 0 : 4);
          expectSame("major faults", thread.majorFaults, 0);
        });
      },
    },
    {
      title: isOfPages(subject)
        ? "FR-01 each page that was touched MUST count in rss while it is mapped"
        : "RE-07 PF-04 nothing MUST count in rss",
      check() {
        const { device, run } = createTestWorld(subject);
        run(function* (thread) {
          const address = yield* mapped(thread, device);
          yield* loadPages(thread, address, 3);
          expectSame("rss", thread.mm.rss, isOfPages(subject) ? 3 : 0);
          yield* thread.munmap(address, 4 * thread.machine.geometry.pageSize);
          expectSame("rss after munmap", thread.mm.rss, 0);
        });
      },
    },
  ];
}
