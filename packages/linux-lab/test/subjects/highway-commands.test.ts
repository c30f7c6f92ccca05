import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { asWord, highway, isErrno } from "../../src/subjects/highway-commands.ts";

const header = readFileSync(new URL("../../../device-highway/linux/highway-abi.h", import.meta.url), "utf8");

/** Every command of a plain number in the header, by the name that it has there. */
const inHeader = new Map(
  [...header.matchAll(/^#define (HIGHWAY_\w+)\s+_IO\('H', (0x[0-9a-f]+)\)$/gm)].map(([, name, number]) => [
    name,
    0x4800 + Number(number),
  ]),
);

it("every command MUST have the number that the driver's header gives it", () => {
  const named = Object.entries(highway).map(([name, number]) => [
    `HIGHWAY_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
    number,
  ]);
  // What waits for a transfer is for programs that do transfers.
  inHeader.delete("HIGHWAY_WAIT");
  expect(new Map(named as [string, number][])).toEqual(inHeader);
});

it("a word above the largest int MUST be told from a negated errno", () => {
  expect(isErrno(-14)).toBe(true);
  expect(isErrno(0xface_0000 | 0)).toBe(false);
  expect(asWord(0xface_0000 | 0)).toBe(0xface_0000);
});
