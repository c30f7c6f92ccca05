import { isTrap } from "@nopage/core";
import { describe, expect, test } from "vitest";
import { accessOf, numberAsWord, numberOf, readAnswers } from "../../src/guest/line-protocol.ts";

describe("answers of the agent", () => {
  test("a line's answers MUST be read one by one", () => {
    expect(readAnswers("is -22;is 2 61ff;value 0xffffffffffffffff;done;trap 7 2 0x7f0000001000")).toEqual([
      { kind: "is", number: -22, rest: [] },
      { kind: "is", number: 2, rest: ["61ff"] },
      { kind: "value", value: 0xffff_ffff_ffff_ffffn },
      { kind: "done" },
      { kind: "trap", trap: { signal: "SIGBUS", code: "BUS_ADRERR", address: 0x7f00_0000_1000 } },
    ]);
  });

  test("each signal MUST have its own codes", () => {
    const traps = readAnswers("trap 11 1 0x0;trap 11 2 0x1000;trap 7 4 0x2000").map(accessOf);
    expect(traps.every(isTrap)).toBe(true);
    expect(traps).toMatchObject([
      { code: "SEGV_MAPERR" },
      { code: "SEGV_ACCERR" },
      { code: "BUS_MCEERR_AR" },
    ]);
    expect(() => readAnswers("trap 7 77 0x0")).toThrow("signal 7 with code 77 at 0x0 is not known here");
  });

  test("what the agent did not understand MUST NOT pass for an answer", () => {
    const [answer] = readAnswers("what >99999");
    expect(() => numberOf(answer ?? { kind: "done" })).toThrow("it did not understand >99999");
  });

  test("a call that was not made for the agent's sake MUST NOT pass for an answer either", () => {
    const [answer] = readAnswers("own");
    expect(() => numberOf(answer ?? { kind: "done" })).toThrow(/memory that is the agent's own/);
  });
});

test("numbers past 2^53 MUST go over the line without a digit that is made up", () => {
  expect([4096, -100, 2 ** 64 - 2048, 0xface_0000_0000_0001n].map(numberAsWord)).toEqual([
    "4096",
    "-100",
    "0xfffffffffffff800",
    "0xface000000000001",
  ]);
});
