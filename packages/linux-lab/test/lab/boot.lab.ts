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

    it("MUST end every actor at a reset, and be of use afterwards", async () => {
      await guest.startProcess(1);
      await guest.ask(1, ["thread 2", "fork 3"]);
      expect(await guest.reset()).toEqual([]);
      expect(await guest.statesOf([1, 2, 3])).toEqual(
        [1, 2, 3].map(() => ({ state: "ended", switches: "-", place: "-" })),
      );
      expect(await guest.startProcess(1)).toBeGreaterThan(0);
    });

    it("MUST boot without a complaint of the kernel's", () => {
      expect(complaintsIn(guest.log)).toEqual([]);
    });
  },
);
