import { describe, expect, it } from "vitest";
import type { Sleepable } from "../../src/contract/execution.ts";
import type { BusAddress, UserAddress } from "../../src/contract/units.ts";
import { DmaPort } from "../../src/device/dma-port.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { mapAnonymous } from "../support/test-device.ts";
import { World } from "../support/world.ts";

const LONG = 1_000_000;
const AWAY = 2 ** 29;

/** What a process does to a page between the moment when it is given to the device and the device's store. */
type Sharing = (world: World, thread: UserThread, page: number) => Sleepable<void>;

function* moveAway(thread: UserThread, page: number, length: number): Sleepable<void> {
  const moving = { oldLength: length, newLength: length, moving: "may-move", newAddress: AWAY } as const;
  expect(yield* thread.mremap({ address: page, ...moving })).toBe(AWAY);
}

/** Holds a private page by a reference, lets the process share it, has the device write: what is reported of that. */
function reportsOf(share: Sharing, bursts = 1): readonly string[] {
  const world = new World();
  const { machine, kernel } = world;
  world.run(function* (thread) {
    const start = (yield* mapAnonymous(thread, 1)) as UserAddress;
    const request = { access: "write", hold: "reference", permission: "checked" } as const;
    const pages = yield* kernel.user.getPages(thread.mm, start, 1, request);
    if (typeof pages === "number") throw new Error("no pages");
    const port = new DmaPort(machine, "test", 32);
    port.map({ mm: thread.mm, start, pages, access: "device-writes" });
    yield* share(world, thread, start);
    for (let burst = 0; burst < bursts; burst++) {
      yield* port.write((pages[0]! * world.page) as BusAddress, Uint8Array.of(9));
    }
    yield* kernel.user.releasePage(thread.mm, pages[0]!, "reference", "dirty");
  });
  const { list } = machine.violations;
  expect(list.filter(({ kind }) => kind !== "dma-into-shared")).toEqual([]);
  return list.map(({ message }) => message);
}

/** Forks a child that lives on past the device's store, after it did something to the page. */
function* forkOff(thread: UserThread, first: (own: UserThread) => Sleepable<void>): Sleepable<void> {
  yield* thread.fork(function* (own) {
    yield* first(own);
    yield* own.nanosleep(LONG);
  });
  yield* thread.nanosleep(100);
}

const shared: readonly (readonly [string, Sharing])[] = [
  ["has it where its parent has", (_world, thread) => forkOff(thread, function* () {})],
  [
    "has moved it to another address",
    ({ page }, thread, at) => forkOff(thread, (own) => moveAway(own, at, page)),
  ],
  [
    "has it where its parent had it until it moved it",
    function* ({ page }, thread, at) {
      yield* forkOff(thread, function* () {});
      yield* moveAway(thread, at, page);
    },
  ],
  [
    "was forked by a child that has gone, and has moved it",
    function* ({ page }, thread, at) {
      const child = yield* thread.fork((own) => forkOff(own, (grandchild) => moveAway(grandchild, at, page)));
      if (typeof child === "number") throw new Error("no fork");
      yield* child.waitForEnd();
    },
  ],
  [
    "keeps the page itself, since the parent's store went to a copy",
    function* ({ page }, thread, at) {
      yield* forkOff(thread, (own) => moveAway(own, at, page));
      yield* thread.store(at, 1);
    },
  ],
];

describe("a device that writes to a private page", () => {
  it.each(shared)("MUST be found to write into another's memory if a process %s", (_what, share) => {
    expect(reportsOf(share)).toEqual([
      expect.stringMatching(/^test writes to .*which a fork has shared with/),
    ]);
  });

  it("MUST be told so once, however many bursts there are", () => {
    expect(reportsOf((_world, thread) => forkOff(thread, function* () {}), 3)).toHaveLength(1);
  });

  const harmless: readonly (readonly [string, Sharing])[] = [
    ["nobody forked", function* () {}],
    ["its owner moved it", ({ page }, thread, at) => moveAway(thread, at, page)],
    [
      "its owner unmapped it",
      function* ({ page }, thread, at) {
        yield* thread.munmap(at, page);
      },
    ],
    [
      "a child has come and gone",
      function* (_world, thread) {
        const child = yield* thread.fork(function* () {});
        if (typeof child !== "number") yield* child.waitForEnd();
      },
    ],
    [
      "a child has come and gone, and its owner moved it",
      function* ({ page }, thread, at) {
        const child = yield* thread.fork(function* () {});
        if (typeof child !== "number") yield* child.waitForEnd();
        yield* moveAway(thread, at, page);
      },
    ],
    [
      "a child has unmapped it",
      ({ page }, thread, at) =>
        forkOff(thread, function* (own) {
          yield* own.munmap(at, page);
        }),
    ],
  ];

  it.each(harmless)("MUST NOT be blamed if %s", (_what, share) => {
    expect(reportsOf(share)).toEqual([]);
  });
});
