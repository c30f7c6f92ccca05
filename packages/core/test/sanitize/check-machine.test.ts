import { describe, expect, test } from "vitest";
import { VM_LOCKED, VM_READ } from "../../src/contract/area-flags.ts";
import type { Page } from "../../src/contract/units.ts";
import type { File } from "../../src/device/file.ts";
import { PG_anon, PG_anon_exclusive } from "../../src/memory/page-flags.ts";
import type { Vma } from "../../src/mm/vma.ts";
import { changeFlags, makePte, PTE_PRESENT, PTE_READ, PTE_SPECIAL, PTE_WRITE } from "../../src/mmu/pte.ts";
import { checkMachine } from "../../src/sanitize/check-machine.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { World } from "../support/world.ts";

/** What a test may spoil: a private page that was written, and a device's page that was read. */
interface Scene {
  readonly world: World;
  readonly thread: UserThread;
  readonly own: Vma;
  readonly shown: Vma;
  readonly ownPage: Page;
  readonly shownPage: Page;
  /** Writes an entry past all books. */
  poke(area: Vma, page: number, entry: number): void;
}

/** Spoils one thing in a machine that is in order, and answers with what the check says about it. */
function spoil(how: (scene: Scene) => void): readonly string[] {
  const world = new World();
  const device = new TestDevice(world, { pages: 2 });
  let found: readonly string[] = [];
  world.run(function* (thread) {
    const own = thread.mm.areas.find(yield* mapAnonymous(thread, 2)) as Vma;
    const shown = thread.mm.areas.find(yield* map(thread, device)) as Vma;
    yield* thread.store(own.start, 1);
    yield* thread.load(shown.start);
    expect(checkMachine(world.machine)).toEqual([]);
    const frameOf = (area: Vma) =>
      Math.floor(thread.mm.table.entryOf(area.start / world.page) / 4096) as Page;
    how({
      world,
      thread,
      own,
      shown,
      ownPage: frameOf(own),
      shownPage: frameOf(shown),
      poke: (area, page, entry) => {
        const vpn = area.start / world.page + page;
        world.machine.tables.write(thread.mm.table.ensure(vpn, 0), entry);
      },
    });
    found = checkMachine(world.machine);
  });
  return found;
}

const cases: [string, (scene: Scene) => void, RegExp][] = [
  [
    "an area that overlaps another",
    ({ shown }) => {
      (shown as { end: number }).end += 4096 * 100;
    },
    /overlaps the area below it|not found by its shown addresses/,
  ],
  [
    "an area whose end is not aligned",
    ({ own }) => {
      (own as { end: number }).end += 1;
    },
    /is empty or not page-aligned/,
  ],
  [
    "an area of the kernel's half",
    ({ own, world }) => {
      (own as { end: number }).end = world.machine.geometry.userEnd + 4096;
    },
    /reaches into the kernel's half/,
  ],
  [
    "an area that does not know its map",
    ({ own }) => {
      own.isLinked = false;
    },
    /does not belong there/,
  ],
  [
    "a total that is too large",
    ({ thread }) => {
      thread.mm.totalPages++;
    },
    /areas of 4 pages but is charged for 5/,
  ],
  [
    "a locked area that is not charged",
    ({ own }) => {
      own.flags |= VM_LOCKED;
    },
    /locked areas of 2 pages but is charged for 0/,
  ],
  [
    "an area that the reverse map has lost",
    ({ shown }) => {
      shown.mapping?.unlink(shown);
    },
    /finds area .* 0 times by its page 0/,
  ],
  [
    "an area that moved without the reverse map",
    ({ shown }) => {
      shown.pgoff = 7;
    },
    /finds area .* 0 times by its page 7/,
  ],
  [
    "a reverse map that keeps an area",
    ({ shown, thread }) => {
      thread.mm.areas.remove(shown);
    },
    /still finds area .*, which is gone/,
  ],
  [
    "an entry where no area is",
    ({ world, thread }) => {
      world.machine.tables.write(thread.mm.table.ensure(3, 0), makePte(5, PTE_PRESENT));
    },
    /maps frame 5 but lies in no area/,
  ],
  [
    "an entry that lets through what is forbidden",
    ({ own }) => {
      own.flags &= VM_READ;
    },
    /can be written, which is forbidden/,
  ],
  [
    "an entry that can be read though nothing is allowed",
    ({ shown }) => {
      shown.flags &= ~7;
    },
    /can be read, though nothing is allowed/,
  ],
  [
    "an entry that cannot be read though it is allowed",
    ({ poke, shown, shownPage }) => poke(shown, 0, makePte(shownPage, PTE_PRESENT)),
    /cannot be read/,
  ],
  [
    "an entry that is filled and not present",
    ({ poke, shown, shownPage }) => poke(shown, 0, makePte(shownPage, PTE_READ)),
    /is filled but not present/,
  ],
  [
    "a bare frame in an area of pages",
    ({ poke, shown }) => poke(shown, 1, makePte(2 ** 30, PTE_PRESENT | PTE_READ | PTE_SPECIAL)),
    /maps bare frame/,
  ],
  [
    "a counted frame without struct page",
    ({ poke, shown }) => poke(shown, 1, makePte(2 ** 30, PTE_PRESENT | PTE_READ)),
    /which has no struct page/,
  ],
  [
    "a frame that is free",
    ({ poke, shown }) => poke(shown, 1, makePte(90, PTE_PRESENT | PTE_READ)),
    /which is free/,
  ],
  [
    "a private page in a shared area",
    ({ poke, shown, ownPage }) => poke(shown, 1, makePte(ownPage, PTE_PRESENT | PTE_READ)),
    /maps private page/,
  ],
  [
    "a store that reaches what others share",
    ({ poke, own, shownPage }) => poke(own, 1, makePte(shownPage, PTE_PRESENT | PTE_READ | PTE_WRITE)),
    /lets stores through to .*, which others share/,
  ],
  [
    "a store that reaches the page of zeros",
    ({ poke, own, world }) =>
      poke(own, 1, makePte(world.machine.zeroPage, PTE_PRESENT | PTE_READ | PTE_WRITE | PTE_SPECIAL)),
    /lets stores through to the page of zeros/,
  ],
  [
    "rss that nothing is mapped for",
    ({ thread }) => {
      thread.mm.rssAnon++;
      thread.mm.rssFile--;
    },
    /maps 1 counted pages of objects but has 0 in rss/,
  ],
  [
    "a mapping that is not counted",
    ({ world, ownPage }) => {
      world.machine.memory.frames.mapcount[ownPage] = 0;
    },
    /counts 0 mappings, but 1 entries map it/,
  ],
  [
    "a page with too few references",
    ({ world, shownPage }) => {
      world.machine.memory.frames.refcount[shownPage] = 0;
    },
    /has fewer references than its 1 mappings/,
  ],
  [
    "a page that is free and held",
    ({ world }) => {
      world.machine.memory.frames.refcount[90] = 1;
    },
    /is free but held/,
  ],
  [
    "a page that is nobody's alone",
    ({ world, thread, own, ownPage, poke }) => {
      poke(own, 1, makePte(ownPage, PTE_PRESENT | PTE_READ));
      thread.mm.rssAnon++;
      world.machine.memory.frames.mapcount[ownPage] = 2;
      world.machine.memory.frames.setFlags(ownPage, PG_anon | PG_anon_exclusive);
    },
    /belongs to one mapping alone, but 2 entries map it/,
  ],
  [
    "a stale translation",
    ({ world, thread, own }) => {
      const vpn = own.start / world.page;
      world.machine.tables.write(
        thread.mm.table.find(vpn),
        changeFlags(thread.mm.table.entryOf(vpn), PTE_WRITE, 0),
      );
    },
    /the TLB of CPU 0 has a stale translation/,
  ],
  [
    "a TLB that serves nobody",
    ({ world }) => {
      world.machine.tlbs[1]!.switchTo(77);
    },
    /the TLB of CPU 1 serves address space 77, which is gone/,
  ],
  [
    "a TLB that its address space does not know",
    ({ thread }) => {
      thread.mm.cpus = 0;
    },
    /which does not know it/,
  ],
  [
    "a table that miscounts",
    ({ world }) => {
      world.machine.tables.live[world.machine.kernelTable.root] = 3;
    },
    /has 0 entries in use but counts 3/,
  ],
  [
    "a table that was lost",
    ({ world }) => {
      world.machine.tables.allocate();
    },
    /tables can be reached, but \d+ are in use/,
  ],
  [
    "a file that is held too seldom",
    ({ shown }) => {
      (shown.file as File).references = 0;
    },
    /is shown by 1 areas but held 0 times/,
  ],
  [
    "a file that was let go",
    ({ shown, world }) => {
      world.machine.devices.openFiles.delete(shown.file as File);
    },
    /1 areas show a file that is not open/,
  ],
];

describe("a machine check", () => {
  test.each(cases)("finds %s", (_name, how, expected) => {
    expect(spoil(how).join("\n")).toMatch(expected);
  });

  test("finds a lock that is still held", () => {
    const world = new World();
    let found: readonly string[] = [];
    world.run(function* (thread) {
      yield* thread.mm.lock.write();
      yield* thread.mm.pageTableLock.lock();
      found = checkMachine(world.machine);
      thread.mm.pageTableLock.unlock();
      thread.mm.lock.unlockWrite();
    });
    expect(found).toEqual(["the mmap lock of p is held", "the page-table lock of p is held"]);
    world.finish();
  });

  test("finds a large leaf where there can be none", () => {
    const world = new World();
    let found: readonly string[] = [];
    world.run(function* (thread) {
      const at = yield* mapAnonymous(thread, 600, { address: 0x4000_0000 });
      const slot = thread.mm.table.ensure(at / world.page, 1);
      world.machine.tables.write(slot, makePte(513, PTE_PRESENT | PTE_READ | PTE_SPECIAL | 0x80));
      found = checkMachine(world.machine);
      world.machine.tables.write(slot, 0);
    });
    expect(found.join("\n")).toMatch(/is a large leaf that x86-64 cannot have/);
    world.finish();
  });
});
