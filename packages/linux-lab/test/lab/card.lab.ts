import { VM_READ, VM_WRITE } from "@nopage/core";
import { type LawCase, mustBe, mustSucceed, type Steps, user } from "@nopage/testkit/executor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defineSubject, findKernel, lab, type SubjectDefinition, whyNoLab } from "../../src/index.ts";
import { Laboratory } from "../../src/run/laboratory.ts";
import { runCaseInLab } from "../../src/run/run-case-in-lab.ts";
import { buildDrivers } from "../../src/subjects/build-drivers.ts";
import { twinModules } from "../../src/subjects/twin-node.ts";

const missing = whyNoLab("cloud", "drivers");

/** The drivers are built once for all tests, on a busy machine in more time than a test has. */
const BUILDING_MS = 300_000;

function buildTwins(): void {
  const kernel = findKernel("cloud");
  if (kernel !== undefined) buildDrivers(kernel);
}
const PAGE = 4096;
/** What register 0 of edu reads. */
const IDENTITY = 0x0100_00ed;

/** `_IOW('H', n, struct highway_request)`, whose 16 bytes are buffer, bytes and interface. */
const START = 0x4010_4801;
const LOAD = 0x4010_4806;
/** `_IO('H', 2)`. */
const WAIT = 0x4802;

function request(buffer: number, bytes: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  view.setBigUint64(0, BigInt(buffer), true);
  view.setUint32(8, bytes, true);
  return new Uint8Array(view.buffer);
}

/** The card's registers through one strategy. */
function cardThrough(strategy: string, whileRevoked: "wait" | "sigbus"): SubjectDefinition {
  return defineSubject({
    name: `${strategy}.bar`,
    pages: 1,
    supports: {
      populate: whileRevoked === "sigbus" ? "eager" : "lazy",
      whileRevoked,
      mremapGrow: false,
      countsPages: false,
      privateWritable: false,
    },
    modules: (kernel) => twinModules(buildDrivers(kernel)),
    kernelWords: ["nopat"],
    *setUp() {
      return { path: `/dev/highway/${strategy}.bar` };
    },
  });
}

function* memory(pages: number): Steps<number> {
  const protection = VM_READ | VM_WRITE;
  return mustSucceed("mmap", yield* user.mmap({ length: pages * PAGE, protection, sharing: "private" }));
}

function* transfer(descriptor: number, command: number, buffer: number, bytes: number): Steps<void> {
  const { result } = yield* lab.call("ioctl", descriptor, command, request(buffer, bytes));
  mustSucceed("the start of a transfer", result);
}

const cases: readonly LawCase[] = [
  {
    when: "what a transfer moves",
    schedule: "sequential",
    *program({ subject }) {
      const descriptor = mustSucceed("open", yield* subject.open());
      const buffer = yield* memory(2);
      for (let at = 0; at < 2048; at += 512) yield* user.store(buffer + at, 0x1000 + at);
      yield* transfer(descriptor, LOAD, buffer, 2048);
      mustBe("the bytes of the first", yield* user.ioctl(descriptor, WAIT), 2048);
      // Not at the beginning of a page, and longer than one transfer of the card.
      const target = buffer + PAGE - 512;
      yield* transfer(descriptor, START, target, 3072);
      mustBe("the bytes of the second", yield* user.ioctl(descriptor, WAIT), 3072);
      for (let at = 0; at < 3072; at += 512) {
        mustBe(`the word at ${at}`, yield* user.load(target + at), 0x1000 + (at % 2048));
      }
    },
  },
  {
    when: "who touches a register while DMA runs",
    schedule: "sequential",
    *program({ subject }) {
      const descriptor = mustSucceed("open", yield* subject.open());
      const address = mustSucceed("mmap", yield* subject.map({ descriptor }));
      mustBe("the register before", yield* user.load(address), IDENTITY);
      const buffer = yield* memory(8);
      // A tenth of a second for every 2 KiB.
      yield* transfer(descriptor, START, buffer, 8 * PAGE);
      let seen: unknown = "not over";
      const reader = yield* user.thread(function* () {
        seen = yield* user.load(address);
      });
      yield* user.sleep(1000);
      const waits = subject.supports.whileRevoked === "wait";
      mustBe("the reader", yield* user.stateOf(reader), waits ? "blocked" : "ended");
      mustBe("the bytes of the transfer", yield* user.ioctl(descriptor, WAIT), 8 * PAGE);
      yield* user.join(reader);
      mustBe("what the reader was given", seen, waits ? IDENTITY : "SIGBUS BUS_ADRERR");
      mustBe("the register afterwards", yield* user.load(address), IDENTITY);
    },
  },
  {
    when: "who opens it while somebody has it, and who dies in the middle of a transfer",
    schedule: "sequential",
    *program({ subject }) {
      const victim = yield* user.process(function* () {
        const descriptor = mustSucceed("open", yield* subject.open());
        mustBe("a second open", yield* subject.open(), -16);
        yield* transfer(descriptor, START, yield* memory(8), 8 * PAGE);
        yield* user.exit(0);
      }, "victim");
      yield* user.join(victim);
      mustSucceed("open afterwards", yield* subject.open());
    },
  },
];

describe.skipIf(missing !== undefined)(`the card${missing === undefined ? "" : ` (${missing})`}`, () => {
  const laboratory = new Laboratory();
  beforeAll(buildTwins, BUILDING_MS);
  afterAll(() => laboratory.discard());

  const cards = [
    cardThrough("eager-remap", "sigbus"),
    cardThrough("lazy-nopage", "wait"),
    cardThrough("pfn-nopage", "wait"),
  ];
  it.each(cards.flatMap((card) => cases.map((lawCase) => ({ card, lawCase, title: lawCase.when }))))(
    "$card.name: $title",
    async ({ card, lawCase }) => {
      const { end } = await runCaseInLab(lawCase, card, laboratory);
      expect(end).toEqual({ kind: "run", problems: [] });
    },
  );
});
