import { type BackingKind, EINVAL, type Page } from "@nopage/core";
import { entriesOf } from "../entries-of.ts";
import { markOf } from "../mark.ts";
import { createTestDevice, mapTestDevice } from "../test-device.ts";
import { createTestWorld } from "../test-world.ts";
import { type Behaviour, expectSame, loadPages, mapped, SIGBUS, type Subject } from "./behaviour.ts";

/** Which entries a mapping makes. */
export function entries(subject: Subject): readonly Behaviour[] {
  const mayHaveHoles = subject.backing === "page-array";
  return [leaves(subject), claims(subject), ...(mayHaveHoles ? [holes(subject)] : [])];
}

function leaves(subject: Subject): Behaviour {
  const { largeLeaves } = subject.strategy.supports;
  const pages = 512;
  return {
    title: largeLeaves
      ? "an object that fills a large leaf MUST be mapped by one, and by single pages once a page is unmapped"
      : "an object that would fill a large leaf MUST be mapped by single pages",
    check() {
      const machine = { ramPages: 2048 };
      const { device, run } = createTestWorld({ ...subject, pages, machine });
      run(function* (thread) {
        const { table, pageSize } = thread.mm;
        const address = yield* mapped(thread, device);
        yield* loadPages(thread, address, pages);
        table.find(address / pageSize);
        expectSame("level of the leaf", table.level, largeLeaves ? 1 : 0);
        yield* thread.munmap(address + pageSize, pageSize);
        table.find(address / pageSize);
        expectSame("level afterwards", table.level, 0);
        expectSame("the last page", yield* thread.load(address + 511 * pageSize), markOf(511));
        yield* device.binding.quiesce();
        yield* device.binding.resume();
        expectSame("the last page again", yield* thread.load(address + 511 * pageSize), markOf(511));
      });
    },
  };
}

function holes(subject: Subject): Behaviour {
  const { strategy } = subject;
  return {
    title: strategy.supports.holes
      ? "LK-06 a hole MUST be SIGBUS and MUST NOT change the page table"
      : "LK-06 memory with a hole MUST be refused with EINVAL",
    check() {
      const { machine, kernel, run, shown } = createTestWorld(subject);
      const list = shown.memory.kind === "page-array" ? [...shown.memory.list] : [];
      const withHole: (Page | undefined)[] = list.map((page, index) => (index === 1 ? undefined : page));
      const memory = { kind: "page-array", list: withHole } as const;
      const device = createTestDevice(machine, kernel, strategy, { path: "/dev/holes", memory, pages: 4 });
      run(function* (thread) {
        if (!strategy.supports.holes) {
          expectSame("mmap", yield* mapTestDevice(thread, device), -EINVAL);
          return;
        }
        const address = yield* mapped(thread, device);
        const seen = yield* loadPages(thread, address, 3);
        expectSame("the pages", seen, [markOf(0), SIGBUS, markOf(2)]);
        expectSame("entries", entriesOf(machine, device), 2);
        expectSame("once more", yield* thread.load(address + machine.geometry.pageSize), SIGBUS);
      });
    },
  };
}

/** Claims that say something about kinds of memory which the strategy has to show, then. */
function claims({ strategy }: Subject): Behaviour {
  return {
    title: "holes, counted pages and copies MUST be claimed only of memory that the strategy shows",
    check() {
      const { backing, holes, countsPages, privateWritable } = strategy.supports;
      const mayHaveHoles = backing.includes("page-array");
      const isInVain = (kind: BackingKind) => !backing.includes(kind);
      expectSame("holes are claimed in vain", holes && !mayHaveHoles, false);
      expectSame("counting is claimed in vain of", countsPages.filter(isInVain), []);
      expectSame("copies are claimed in vain of", privateWritable.filter(isInVain), []);
    },
  };
}
