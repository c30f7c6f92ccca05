import { describe, expect, test } from "vitest";
import { observed } from "../../src/parity/observed-step.ts";

const trap = { signal: "SIGBUS", code: "BUS_ADRERR", address: 0x5008 };

describe("what is compared of a step", () => {
  test.each([
    ["mmap", { address: 0x5000 }, 0x5000, "the address given"],
    ["mmap", { length: 4096 }, 0x7fff_0000, "an address"],
    ["mremap", { address: 0x9000, newAddress: 0x8000 }, 0x8000, "the newAddress given"],
    ["mmap", {}, -12, "-ENOMEM"],
    ["subject.open", [], 7, "a descriptor"],
    ["subject.open", [], -6, "-ENXIO"],
    ["load", { address: 0x5000 }, trap, "SIGBUS BUS_ADRERR, 8 bytes on"],
    ["subject.reach", [0x5008], trap, "SIGBUS BUS_ADRERR"],
    ["load", { address: 0x5000 }, 21, "21"],
    ["store", { address: 0x5000 }, undefined, "done"],
    ["faults", {}, { minor: 3, major: 0 }, "not compared"],
    ["smaps", {}, [{}, {}], "2 areas"],
    ["processVmRead", {}, new Uint8Array([1, 255]), "01ff"],
    ["pinner.pin", [], { pages: 2, descriptor: 9 }, "2 pages"],
    ["join", {}, { status: 0 }, '{"status":0}'],
  ])("%s %#", (call, given, answer, outcome) => {
    const [step] = observed("line", { actor: "main", call, given, answer });
    expect(step).toEqual({ actor: "main", call, outcome, line: "line" });
  });

  test("time that has passed is nothing, a sleep that was cut short is", () => {
    const step = { actor: "main", call: "sleep", given: { duration: 5 } };
    expect(observed("line", { ...step, answer: 0 })).toEqual([]);
    expect(observed("line", { ...step, answer: -4 })).toMatchObject([{ outcome: "-EINTR" }]);
  });
});
