import { expect, test } from "vitest";
import { migratePage } from "../../src/mm/migrate.ts";
import type { Mm } from "../../src/mm/mm.ts";
import { changeFlags, PTE_ACCESSED, PTE_DIRTY } from "../../src/mmu/pte.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { mapAnonymous } from "../support/test-device.ts";
import { ok, World } from "../support/world.ts";

/** Makes a page as old and clean as if it had never been used: what reclaim leaves behind, with no translation left. */
function makeOld({ machine }: World, mm: Mm, vpn: number): void {
  const slot = mm.table.find(vpn);
  machine.writeEntry(mm, slot, vpn, changeFlags(mm.table.entryOf(vpn), PTE_ACCESSED | PTE_DIRTY, 0));
  for (const tlb of machine.tlbs) tlb.flushAll();
}

test("a page that another thread stores to while it is migrated MUST be young and dirty afterwards", () => {
  let during = 0;
  for (let seed = 0; seed < 200; seed++) {
    const world = new World({ chooser: randomChooser(seed), cpus: 3, ramPages: 64 });
    const { status } = world.run(function* (thread) {
      const { mm } = thread;
      const memory = yield* mapAnonymous(thread, 1);
      const vpn = memory / world.page;
      yield* thread.store(memory, 1);
      makeOld(world, mm, vpn);
      let hasStored = false;
      thread.spawn(function* (other) {
        yield* other.store(memory, 2);
        hasStored = true;
      });
      ok(yield* migratePage(mm, memory));
      if (hasStored) during++;
      while (!hasStored) yield* thread.nanosleep(10);
      const used = mm.table.entryOf(vpn) & (PTE_ACCESSED | PTE_DIRTY);
      expect({ seed, used }).toEqual({ seed, used: PTE_ACCESSED | PTE_DIRTY });
      expect(yield* thread.load(memory)).toBe(2);
      ok(yield* thread.munmap(memory, world.page));
    });
    expect({ seed, status }).toEqual({ seed, status: "finished" });
    world.finish();
  }
  expect(during).toBeGreaterThan(0);
});
