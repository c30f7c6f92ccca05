import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { complaintsIn, findKernel, Guest, whyNoLab } from "../../src/index.ts";

const missing = whyNoLab();

describe.skipIf(missing !== undefined)(
  `a booted guest${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    let guest: Guest;

    beforeAll(async () => {
      const kernel = findKernel("cloud");
      if (kernel === undefined) throw new Error("there is no kernel");
      guest = await Guest.boot({ kernel, files: [] });
    }, 90_000);

    afterAll(() => guest?.end());

    it("MUST do what an actor is asked for, in one line and in its order", async () => {
      expect(await guest.startProcess(1)).toBeGreaterThan(0);
      const answers = await guest.ask(1, [
        "call 9 0 8192 3 0x22 -1 0",
        "store 4 @0+4096 7",
        "load 8 @0+4096",
        "load 4 0",
      ]);
      expect(answers[0]).toMatchObject({ kind: "is", rest: [] });
      expect(answers.slice(1)).toEqual([
        { kind: "done" },
        { kind: "value", value: 7n },
        { kind: "trap", trap: { signal: "SIGSEGV", code: "SEGV_MAPERR", address: 0 } },
      ]);
    });

    it("MUST do the rest of a line as often as it is to be repeated, and answer for the last time", async () => {
      await guest.reset();
      await guest.startProcess(1);
      const round = [
        "call 9 0 8192 3 0x22 -1 0",
        "load 4 @1",
        "store 4 @1 :07",
        "store 4 @1 7",
        "call 11 @1 8192",
      ];
      expect(await guest.ask(1, ["repeat 1000", ...round])).toEqual([
        { kind: "is", number: 1000, rest: [] },
        { kind: "is", number: expect.any(Number), rest: [] },
        { kind: "value", value: 0n },
        { kind: "what", word: "an access" },
        { kind: "done" },
        { kind: "is", number: 0, rest: [] },
      ]);
      expect(await guest.ask(1, ["repeat 0", ...round])).toEqual([{ kind: "what", word: "repeat" }]);
    });

    it("MUST end every actor at a reset, and be of use afterwards", async () => {
      await guest.startProcess(1);
      await guest.ask(1, ["thread 2", "fork 3"]);
      expect(await guest.reset()).toEqual([]);
      expect(await guest.statesOf([1, 2, 3])).toEqual(
        [1, 2, 3].map(() => ({ state: "ended", switches: "-", place: "-" })),
      );
      expect(await guest.startProcess(1)).toBeGreaterThan(0);
    });

    it("MUST leave programs every address from 0x10000000 on, as laws name them", async () => {
      await guest.startProcess(1);
      // Four pages over the beginning of the range of a page table.
      const [mapped, areas] = await guest.ask(1, ["call 9 0x1ffff000 16384 3 0x32 -1 0", "areas"]);
      expect(mapped).toMatchObject({ kind: "is", number: 0x1fff_f000 });
      const shown = areas?.kind === "is" ? areas.rest.filter((word) => word.startsWith("0x")) : [];
      expect(shown.slice(0, 2)).toEqual(["0x1ffff000", "0x20003000"]);
      const [low] = await guest.ask(1, ["call 9 0x10000000 4096 3 0x32 -1 0"]);
      expect(low).toMatchObject({ kind: "is", number: 0x1000_0000 });
      await guest.reset();
    });

    it("MUST NOT let a program change memory of the agent's own, and MUST go on", async () => {
      await guest.startProcess(1);
      const answers = await guest.ask(1, [
        ...["call 9 0x8000000 4096 3 0x32 -1 0", "call 9 0x7fff000 8192 3 0x32 -1 0"],
        ...["call 11 0x8001000 4096", "call 11 0 0x20000000", "call 10 0x401000 4096 1"],
        ...["call 28 0x8000000 4096 4", "call 25 0x8000000 4096 4096 3 0x30000000"],
        "call 25 0x30000000 4096 4096 3 0x8000000",
      ]);
      expect(answers.map(({ kind }) => kind)).toEqual(Array.from({ length: 8 }, () => "own"));
      const others = await guest.ask(1, [
        // What replaces nothing, what the kernel refuses, and what only wishes are the kernel's affair.
        ...["call 9 0x8000000 4096 3 0x100022 -1 0", "call 11 0x8000001 4096", "call 11 0x8000000 0"],
        ...["call 9 0x8000000 4096 3 0x22 -1 0", "call 39"],
      ]);
      expect(others.map((answer) => (answer.kind === "is" ? Math.min(0, answer.number) : answer))).toEqual([
        ...[-17, -22, -22],
        ...[0, 0],
      ]);
      await guest.reset();
    });

    it("MUST let actors begin at the same time, or the one so much later as is said", async () => {
      await guest.startProcess(1);
      await guest.startProcess(2);
      /** Microseconds from the first one's call of clock_gettime to the second one's. */
      const apart = async (delay: number): Promise<number> => {
        const operation = "call 228 1 >16";
        const answers = await Promise.all(
          guest.race([
            { actor: 1, operation, delay: 0 },
            { actor: 2, operation, delay },
          ]),
        );
        const [first = 0, second = 0] = answers.map(([answer]) => {
          const time = Buffer.from(answer?.kind === "is" ? (answer.rest[0] ?? "") : "", "hex");
          return Number(time.readBigInt64LE(0)) * 1e6 + Number(time.readBigInt64LE(8)) / 1e3;
        });
        return second - first;
      };
      // The host may take a CPU away at any moment, on a busy machine often, but not every time.
      let together = 0;
      let later = 0;
      for (let round = 0; round < 60 && (together < 3 || later < 3); round++) {
        if (Math.abs(await apart(0)) < 50) together++;
        if (Math.abs((await apart(3000)) - 3000) < 50) later++;
      }
      expect(await guest.reset()).toEqual([]);
      expect(together, "rounds in which both began within 50 µs").toBeGreaterThanOrEqual(3);
      expect(later, "rounds in which one began 3 ms after the other, to 50 µs").toBeGreaterThanOrEqual(3);
    });

    it("MUST do a race without one that is gone", async () => {
      await guest.startProcess(1);
      const answers = guest.race([
        { actor: 1, operation: "echo 7", delay: 0 },
        { actor: 2, operation: "echo 8", delay: 0 },
      ]);
      const [first, second] = await Promise.all(answers);
      expect(first).toEqual([{ kind: "is", number: 7, rest: [] }]);
      expect(second).toEqual([{ kind: "what", word: "actor" }]);
      await guest.reset();
    });

    it("MUST boot without a complaint of the kernel's", () => {
      expect(complaintsIn(guest.log)).toEqual([]);
    });
  },
);
