import { definePinningPolicy, type Pinned, type PinningHooks, type PinningPolicy } from "@nopage/core";
import { refcount } from "@nopage/pinning";
import { describe, expect, it } from "vitest";
import { HIGHWAY_ACQUIRE, HIGHWAY_WAIT } from "../../src/index.ts";
import { pattern } from "../support/cards.ts";
import { errno, mapMemory, mapRegion, open, request, runProgram } from "../support/programs.ts";
import { buildWorld, holdings, inKernel } from "../support/worlds.ts";

const BYTES = 6000;

/** A policy that breaks its contract once, and holds by references ever after. */
function brokenOnce(change: (hooks: PinningHooks) => Partial<PinningHooks>): PinningPolicy {
  return definePinningPolicy({
    name: "broken",
    supports: refcount.supports,
    create(kernel) {
      const good = refcount.create(kernel);
      let broken: PinningHooks | undefined = { ...good, ...change(good) };
      return {
        pin(...order) {
          const { pin } = broken ?? good;
          if (broken?.pin !== good.pin) broken = undefined;
          return pin(...order);
        },
        unpin: (...token) => (broken ?? good).unpin(...token),
      };
    },
  });
}

/** Answers `pin` with something else than the token that it should be. */
function answering(answer: (token: Pinned) => unknown): PinningPolicy {
  return brokenOnce(() => ({
    // What a plugin in JavaScript may do, whatever the types say.
    pin: (mm, start, pages, access) => answer({ mm, start, pages: Array(pages).fill(99), access }) as Pinned,
  }));
}

/** Acquires once with the policy broken and once with it good again: both results, and what was reported. */
function acquireTwice(pinning: PinningPolicy) {
  const world = buildWorld({ pinning });
  const { machine, card, driver } = world;
  card.feed(0, { bytes: pattern(4 * BYTES), sampleRateHz: undefined });
  const before = { ...holdings(machine), violations: [] };
  const results: (number | string)[] = [];
  runProgram(world, function* (thread) {
    const file = yield* open(thread);
    const region = yield* mapRegion(thread, file);
    const memory = yield* mapMemory(thread, 16_384);
    const order = { buffer: memory + 100, bytes: BYTES, interface: 0 };
    for (let times = 0; times < 2; times++) {
      results.push(errno(yield* request(thread, file, memory, order, HIGHWAY_ACQUIRE)));
      // The card is free again and the mapping open.
      expect(yield* thread.load(region)).toBeTypeOf("number");
      expect(card.isDmaRunning).toBe(false);
    }
    expect(yield* thread.ioctl(file, HIGHWAY_WAIT)).toBe(BYTES);
  });
  const messages = machine.violations.list.map(({ kind, message }) => `${kind}: ${message}`);
  const after = { ...holdings(machine), violations: [] };
  expect(inKernel(machine, () => driver.unload())).toBe(0);
  return { results, messages, leftOver: { before, after } };
}

const tokens: readonly (readonly [string, (token: Pinned) => unknown, string])[] = [
  ["nothing", () => undefined, "undefined instead of a token or a negated errno"],
  ["a number that is no errno", () => 7, "7 instead of a token or a negated errno"],
  ["a word", () => "ok", "ok instead of a token or a negated errno"],
  ["an object without anything", () => ({}), "with a token of another address space than test"],
  [
    "another address",
    (token) => ({ ...token, start: 0x1000 }),
    expect.stringMatching(/^with a token from 0x1000 on instead of 0x/),
  ],
  [
    "another access",
    (token) => ({ ...token, access: "device-reads" }),
    "with a token for access device-reads instead of device-writes",
  ],
  [
    "no list of pages",
    (token) => ({ ...token, pages: undefined }),
    "with a token whose pages are undefined, no list",
  ],
  ["too few pages", (token) => ({ ...token, pages: [] }), "with a token of 0 pages instead of 2"],
  [
    "a page that does not exist",
    (token) => ({ ...token, pages: [1e9, 1e9] }),
    "with 1000000000 as page 0, which is no page in use",
  ],
  [
    "a page that is half of one",
    (token) => ({ ...token, pages: [1.5, 2] }),
    "with 1.5 as page 0, which is no page in use",
  ],
  [
    "a follower that is none",
    (token) => ({ ...token, pages: [], follower: {} }),
    "with a follower that cannot follow",
  ],
];

describe("a pinning policy that breaks its contract", () => {
  it.each(tokens)(
    "answering %s: MUST be reported by name and hook, with nothing half-done",
    (_what, answer, wrong) => {
      const { results, messages, leftOver } = acquireTwice(answering(answer));
      expect(results).toEqual(["-EINVAL", BYTES]);
      const prefix = "contract: broken: pin answered ";
      expect(messages.map((message) => message.slice(prefix.length))).toEqual([wrong]);
      expect(messages[0]).toContain(prefix);
      expect(leftOver.after).toEqual(leftOver.before);
    },
  );

  it("throwing in pin: MUST be reported, and the card be free for the next transfer", () => {
    const { results, messages, leftOver } = acquireTwice(
      brokenOnce(() => ({
        pin: () => {
          throw new TypeError("no pages today");
        },
      })),
    );
    expect(results).toEqual(["-EINVAL", BYTES]);
    expect(messages).toEqual(["contract: broken: pin threw TypeError: no pages today"]);
    expect(leftOver.after).toEqual(leftOver.before);
  });

  it("throwing in unpin, after it gave the pages back: MUST be reported, and the transfer come to its end", () => {
    const { results, messages, leftOver } = acquireTwice(
      brokenOnce((good) => ({
        *unpin(token, contents) {
          const answer = good.unpin(token, contents);
          if (typeof answer === "object") yield* answer;
          throw new TypeError("gone already");
        },
      })),
    );
    expect(results).toEqual([BYTES, BYTES]);
    expect(messages).toEqual(Array(2).fill("contract: broken: unpin threw TypeError: gone already"));
    expect(leftOver.after).toEqual(leftOver.before);
  });

  it("handing out the same token twice: MUST be refused the second time", () => {
    let first: Pinned | number | undefined;
    const pinning = definePinningPolicy({
      name: "again",
      supports: refcount.supports,
      create(kernel) {
        const good = refcount.create(kernel);
        return {
          *pin(...order) {
            if (first !== undefined) return first;
            const answer = good.pin(...order);
            first = typeof answer === "object" && "next" in answer ? yield* answer : answer;
            return first;
          },
          unpin: () => undefined,
        };
      },
    });
    const { machine, kernel } = buildWorld();
    const binding = kernel.bindPinning(pinning);
    machine.spawn("test", function* (thread) {
      const start = (yield* mapMemory(thread, 4096)) as never;
      expect(yield* binding.pin(thread.mm, start, 1, "device-writes")).toBe(first);
      expect(errno((yield* binding.pin(thread.mm, start, 1, "device-writes")) as number)).toBe("-EINVAL");
      for (const page of (first as Pinned).pages) machine.memory.frames.put(page);
    });
    machine.sched.run();
    expect(machine.violations.list.map(({ message }) => message)).toEqual([
      "again: pin answered with a token that is out already",
    ]);
  });
});
