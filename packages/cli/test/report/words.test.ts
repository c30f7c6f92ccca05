import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { sideBySide } from "../../src/report/side-by-side.ts";
import { andList, count, showTime } from "../../src/report/words.ts";

describe("numbers in words", () => {
  test.each([
    [0, "0 ns"],
    [850, "850 ns"],
    [12_400, "12.4 µs"],
    [1_987_654, "1.99 ms"],
    [2_500_000_000, "2.5 s"],
  ])("%d ns reads %s", (ns, text) => {
    expect(showTime(ns)).toBe(text);
  });

  test("a count takes its noun in the right number", () => {
    expect([count(0, "byte"), count(1, "byte"), count(131_072, "byte")]).toEqual([
      "0 bytes",
      "1 byte",
      "131,072 bytes",
    ]);
  });

  test("a list of names is a part of a sentence", () => {
    expect([andList([]), andList(["a"]), andList(["a", "b"]), andList(["a", "b", "c"])]).toEqual([
      "",
      "a",
      "a and b",
      "a, b and c",
    ]);
  });
});

/** A CI machine asks for colours. */
const plain = stripVTControlCharacters;

describe("things side by side", () => {
  const columns = ["one", "two", "three"].map((title) => ({ title, cells: [`${title} wide cell`, "x"] }));

  test("stand in columns under their names", () => {
    expect(plain(sideBySide(["first", "2nd"], columns.slice(0, 2)))).toBe(
      [
        "         one            two",
        "  first  one wide cell  two wide cell",
        "  2nd    x              x",
        "",
      ].join("\n"),
    );
  });

  test("what does not fit goes into a table below", () => {
    const tables = plain(sideBySide(["first", "2nd"], columns, 42)).split("\n\n");
    expect(tables.map((table) => table.split("\n")[0]?.trim())).toEqual(["one            two", "three"]);
  });

  test("a column that never fits is shown all the same", () => {
    expect(sideBySide(["first", "2nd"], columns, 5).split("\n\n")).toHaveLength(3);
  });
});
