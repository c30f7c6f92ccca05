import { describe, expect, it } from "vitest";
import { EFAULT } from "../../src/contract/errno.ts";
import type { InvalidateRange, MmuNotifier } from "../../src/contract/mmu-notifier.ts";
import type { UserAddress } from "../../src/contract/units.ts";
import { migratePage } from "../../src/mm/migrate.ts";
import type { Mm } from "../../src/mm/mm.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, runProgram } from "../support/world.ts";

/** What held when one page was said to be cleared. */
interface Told {
  readonly address: number;
  readonly isLocked: boolean;
  readonly entry: number;
  /** CPUs that still had a translation of the page. */
  readonly cached: number;
  /** The range under way that covers the page. */
  readonly within: string | undefined;
}

/** A follower that looks round when it is told of a single page. */
class Witness implements MmuNotifier {
  readonly name = "witness";
  readonly told: Told[] = [];
  readonly #open: InvalidateRange[] = [];

  invalidateRangeBegin(range: InvalidateRange): number {
    this.#open.push(range);
    return 0;
  }

  invalidateRangeEnd(range: InvalidateRange): void {
    this.#open.splice(this.#open.indexOf(range), 1);
  }

  *invalidatePage(mm: Mm, address: UserAddress) {
    const { tlbs } = mm.machine;
    this.told.push({
      address,
      isLocked: mm.pageTableLock.isHeld,
      entry: mm.table.entryOf(address * mm.perPage),
      cached: tlbs.filter((tlb) => tlb.space === mm.id && tlb.lookup(address) !== 0).length,
      within: this.#open.find(({ start, end }) => start <= address && address < end)?.event,
    });
  }
}

/** What must hold of every single page that is told of: the range around it was announced, and the page is out of reach. */
function cleared(address: number, within: string): Told {
  return { address, isLocked: true, entry: 0, cached: 0, within };
}

describe("one page that is invalidated", () => {
  it.each([
    ["anonymous memory", "anonymous"],
    ["a device's page", "device"],
  ] as const)(
    "MUST be told of when a store replaces %s by a copy: under the page-table lock, entry and TLBs clear, within its range",
    (_what, source) => {
      runProgram((world) => {
        const device = new TestDevice(world, { pages: 2 });
        const witness = new Witness();
        return function* (thread: UserThread) {
          const memory =
            source === "device"
              ? yield* map(thread, device, { sharing: "private" })
              : yield* mapAnonymous(thread, 2);
          const second = memory + world.page;
          if (source === "anonymous") yield* thread.store(second, 1);
          else yield* thread.load(second);
          expect(yield* world.kernel.mappings.registerNotifier(thread.mm, witness)).toBe(0);
          const child = yield* thread.fork(function* (own) {
            yield* own.nanosleep(1000);
          });
          if (typeof child === "number") throw new Error("no child");
          yield* thread.store(second, 2);
          expect(witness.told).toEqual([cleared(second, "clear")]);
          yield* world.kernel.mappings.unregisterNotifier(thread.mm, witness);
          ok(yield* thread.munmap(memory, 2 * world.page));
          yield* child.waitForEnd();
        };
      });
    },
  );

  it("MUST be told of when it is migrated, likewise; and not when it stays where it is", () => {
    runProgram((world) => {
      const witness = new Witness();
      return function* (thread) {
        const memory = yield* mapAnonymous(thread, 2);
        const second = memory + world.page;
        yield* thread.store(second, 1);
        expect(yield* world.kernel.mappings.registerNotifier(thread.mm, witness)).toBe(0);
        expect(yield* migratePage(thread.mm, memory)).toBe(-EFAULT);
        expect(witness.told).toEqual([]);
        expect(yield* migratePage(thread.mm, second)).toBe(0);
        expect(witness.told).toEqual([cleared(second, "migrate")]);
        yield* world.kernel.mappings.unregisterNotifier(thread.mm, witness);
      };
    });
  });
});
