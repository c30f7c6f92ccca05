import { describe, expect, test } from "vitest";
import { newTaints } from "../../src/guest/taint.ts";
import { heard, KernelWatch } from "../../src/run/kernel-watch.ts";

const OUT_OF_TREE = 1 << 12;
const DIED = 1 << 7;
const WARNED = 1 << 9;
const BAD_PAGE = 1 << 5;

const letters = (taints: readonly { readonly letter: string }[]): readonly string[] =>
  taints.map(({ letter }) => letter);

describe("what the kernel remembers", () => {
  test.each([
    [0, 0, []],
    [0, OUT_OF_TREE | (1 << 13), []],
    [OUT_OF_TREE, OUT_OF_TREE | WARNED, ["W"]],
    [WARNED, WARNED | DIED | OUT_OF_TREE, ["D"]],
    [0, (1 << 4) | BAD_PAGE | (1 << 14), ["M", "B", "L"]],
    [DIED, DIED, []],
  ])("from %i to %i MUST be told once, by what is a mistake", (before, now, expected) => {
    expect(letters(newTaints(before, now))).toEqual(expected);
  });

  test("that nothing in the log tells of MUST be a complaint, with the log's end", () => {
    const { complaints, kernel } = heard("mine: all is well\r\n", newTaints(0, BAD_PAGE));
    expect(complaints.map(({ what }) => what)).toEqual([
      expect.stringMatching(/^BUG: the kernel remembers a page .* \(tainted B\)/),
    ]);
    expect(complaints[0]?.lines.at(-1)).toBe("mine: all is well");
    expect(kernel).toBe("spoilt");
  });

  test("a warning that is told MUST NOT be told twice, and leaves the kernel fit", () => {
    const said = "WARNING: CPU: 0 PID: 1 at mine.c:1 mine+0x0\r\n";
    const { complaints, kernel } = heard(said, newTaints(0, WARNED));
    expect(complaints.map(({ what }) => what)).toEqual([said.trim()]);
    expect(kernel).toBe("fit");
  });

  test("an oops beside a warning MUST be told, and MUST cost the guest", () => {
    const { complaints, kernel } = heard("WARNING: planted\n", newTaints(0, WARNED | DIED));
    expect(complaints.map(({ what }) => what.slice(0, 24))).toEqual([
      "WARNING: planted",
      "BUG: the kernel remember",
    ]);
    expect(kernel).toBe("spoilt");
  });
});

test("a guest MUST be heard from its boot on, each word once, and as far as it got when it is lost", async () => {
  const guest = { log: "WARNING: at boot\n", settleLog: () => Promise.resolve(OUT_OF_TREE) };
  const watch = new KernelWatch(guest);
  const whats = async () => (await watch.listen()).complaints.map(({ what }) => what);
  expect(await whats()).toEqual(["WARNING: at boot"]);
  expect(await whats()).toEqual([]);
  guest.log += "BUG: it dies\n";
  guest.settleLog = () => Promise.reject(new Error("lost"));
  expect(await whats()).toEqual(["BUG: it dies"]);
});
