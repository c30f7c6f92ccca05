import { type MachineOptions, type Page, PG_reserved, type UserAddress } from "@nopage/core";
import { must, mustBe, mustReach, succeed } from "../program/expect.ts";
import type { Steps } from "../program/operation.ts";
import { user } from "../program/user.ts";
import type { AnyLaw, LawCase } from "./law.ts";
import { anonymousHoleCases, reservedForkCases, reservedHoldCases } from "./reserved-forks.ts";
import { residentPages } from "./support/accounts.ts";
import { type OwnDevice, ownDevice } from "./support/own-device.ts";

type Rules = NonNullable<MachineOptions["reservedPages"]>;
const legacy: readonly Rules[] = ["2.4", "2.6.11"];

/** H. Pages that are marked as reserved, today and by the rules of old. */
export const reservedLaws: readonly AnyLaw[] = [
  {
    id: "RS-01",
    level: "model-only",
    owner: ["core"],
    rule: "by the rules of 6.1 a reserved page MUST be counted like any other when it is mapped, held and unmapped",
    source: "mm/memory.c zap_pte_range, insert_page, do_set_pte: none of them looks at PageReserved",
    cases: [
      under("6.1", "", function* (device) {
        const before = yield* residentPages();
        const { address } = yield* device.mapped();
        for (const page of [0, 1]) yield* user.load(address + page * device.machine.geometry.pageSize);
        mustBe("what two pages add to rss", (yield* residentPages()) - before, 2);
        mustBe("references beside the driver's own", device.extraReferences(), [1, 1, 0, 0]);
        yield* holding(device, address, function* () {
          mustBe("references while the page is held", device.extraReferences()[0], 2);
        });
        yield* unmap(device, address);
        mustBe("references after munmap", device.extraReferences(), [0, 0, 0, 0]);
        mustBe("what is left of rss", (yield* residentPages()) - before, 0);
      }),
    ],
  },
  {
    id: "RS-02",
    level: "model-only",
    owner: ["core"],
    rule: "by the rules of old a remap MUST skip RAM that is not reserved and answer 0 all the same; the hole is then anonymous memory. By those of 6.1 it MUST map every frame",
    source: "mm/memory.c remap_pte_range of 2.0.40, 2.4.0 and 2.6.11",
    cases: [
      ...["6.1" as const, ...legacy].map(
        (rules): LawCase => ({
          when: rules,
          schedule: "sequential" as const,
          executor: "model" as const,
          machine: { reservedPages: rules },
          kinds: "one",
          *program({ subject: { markOf } }): Steps<void> {
            const device = yield* ownDevice({
              *mmap(area, { kernel, pages }) {
                for (const index of [0, 1]) {
                  const address = (area.start + index * kernel.geometry.pageSize) as UserAddress;
                  const pfn = pages[index] ?? (0 as Page);
                  const request = { address, pfn, pages: 1, leaves: "single" } as const;
                  mustBe("remap", yield* kernel.mappings.remapPfnRange(area, request), 0);
                }
                return 0;
              },
              ops: () => ({ nopage: undefined as never }),
            });
            reserve(device, "set");
            const { address } = yield* device.mapped({ pages: 2 });
            const { pageSize } = device.machine.geometry;
            mustBe("the page that is reserved", yield* user.load(address), markOf(0));
            const other = address + pageSize;
            mustBe("the page that is not", yield* user.load(other), rules === "6.1" ? markOf(1) : 0);
            mustReach("a store to it", yield* user.store(other + 8, 5));
            const seen = device.machine.memory.kernel.load32(wordOf(device, 1, 8));
            mustBe("that store, as the driver sees it", seen, rules === "6.1" ? 5 : 0);
            yield* user.munmap(address, 2 * pageSize);
            reserve(device, "clear");
            yield* device.release();
          },
        }),
      ),
      ...anonymousHoleCases,
    ],
  },
  {
    id: "RS-03",
    level: "model-only",
    owner: ["core"],
    rule: "by the rules of old unmapping MUST NOT drop the count of a reserved page; in 2.0 and 2.4 rss is raised for it and never taken back, in 2.6.11 not",
    source: "mm/memory.c do_no_page, free_pte of 2.0.40 and 2.4.0; 2.6.11",
    cases: [
      ...legacy.map((rules) =>
        under(rules, rules, function* (device) {
          const before = yield* residentPages();
          for (let round = 1; round <= 3; round++) {
            const { address } = yield* device.mapped();
            for (const page of [0, 1]) yield* user.load(address + page * device.machine.geometry.pageSize);
            yield* unmap(device, address);
            mustBe(`references after round ${round}`, device.extraReferences(), [round, 0, 0, 0]);
            const drift = rules === "2.4" ? round : 0;
            mustBe(`what is left of rss after round ${round}`, (yield* residentPages()) - before, drift);
          }
        }),
      ),
      ...reservedForkCases,
    ],
  },
  {
    id: "RS-04",
    level: "model-only",
    owner: ["core"],
    rule: "by the rules of old get_user_pages MUST take no reference on a reserved page, so that a device that works on after munmap and free MUST be reported",
    source: "mail of 2004; mm/memory.c get_user_pages of 2.6.11",
    cases: [
      ...legacy.flatMap((rules): LawCase[] => [
        under(rules, `${rules}, the count`, function* (device) {
          const { address } = yield* device.mapped();
          yield* user.load(address);
          const before = device.extraReferences();
          yield* holding(device, address, function* () {
            mustBe("references while the page is held", device.extraReferences(), before);
          });
          mustBe("references afterwards", device.extraReferences(), before);
          yield* unmap(device, address);
        }),
        {
          when: `${rules}, memory that is freed under the device`,
          schedule: "sequential",
          executor: "model",
          machine: { reservedPages: rules },
          provokes: "use-after-free",
          kinds: "one",
          *program() {
            const device = yield* ownDevice();
            reserve(device, "set");
            const { address } = yield* device.mapped();
            yield* user.load(address);
            yield* holding(device, address, function* () {
              yield* unmap(device, address);
              settleDebts(device);
              reserve(device, "clear");
              const word = wordOf(device, 0, 0);
              yield* device.release();
              // The device goes on writing where it was told to.
              device.machine.memory.kernel.store32(word, 1);
            });
          },
        },
      ]),
      ...reservedHoldCases,
    ],
  },
];

/** A case on a device of the law's own, the first page of which is reserved while the program runs. */
function under(reservedPages: Rules, when: string, program: (device: OwnDevice) => Steps<void>): LawCase {
  return {
    when,
    schedule: "sequential",
    executor: "model",
    machine: { reservedPages },
    kinds: "one",
    *program() {
      const device = yield* ownDevice();
      reserve(device, "set");
      yield* program(device);
      settleDebts(device);
      reserve(device, "clear");
      yield* device.release();
    },
  };
}

/** Marks the device's first page, or takes the mark back. */
function reserve({ machine, pages }: OwnDevice, mark: "set" | "clear"): void {
  const [page] = pages;
  must(page !== undefined, "the law's device has no page");
  if (page === undefined) return;
  if (mark === "set") machine.memory.frames.setFlags(page, PG_reserved);
  else machine.memory.frames.clearFlags(page, PG_reserved);
}

/** Gives the references back that unmapping has left, as nobody ever did in those days. */
function settleDebts({ machine, pages }: OwnDevice): void {
  for (const page of pages) {
    while ((machine.memory.frames.refcount[page] ?? 0) > 1) machine.memory.frames.put(page);
  }
}

/** Runs a body while the first page of a mapping is held by a plain reference of get_user_pages. */
function* holding(device: OwnDevice, address: number, body: () => Steps<void>): Steps<void> {
  const { kernel } = device;
  const held = yield* user.kernel(function* ({ thread }) {
    const request = { access: "write", hold: "reference", permission: "checked" } as const;
    return yield* kernel.user.getPages(thread.mm, address as UserAddress, 1, request);
  });
  mustBe("the pages that get_user_pages answers with", held, device.pages.slice(0, 1));
  yield* body();
  yield* user.kernel(function* ({ thread }) {
    const [page] = device.pages;
    if (page === undefined || (device.machine.memory.frames.refcount[page] ?? 0) === 0) return;
    yield* kernel.user.releasePage(thread.mm, page, "reference", "clean");
  });
}

function* unmap(device: OwnDevice, address: number): Steps<void> {
  yield* succeed("munmap", user.munmap(address, device.pages.length * device.machine.geometry.pageSize));
}

/** Where the kernel sees a word of one of the device's pages. */
function wordOf({ machine, pages }: OwnDevice, page: number, offset: number) {
  const start = machine.memory.directMap.addressOf(pages[page] ?? (0 as Page));
  return (start + offset) as typeof start;
}
