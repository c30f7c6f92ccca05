import { expect, test } from "vitest";
import { packArchive } from "../../src/guest/cpio.ts";

/** Name, mode and contents of every entry, read by the fields of the format's description. */
function unpack(archive: Uint8Array): readonly { name: string; mode: string; contents: string }[] {
  const bytes = Buffer.from(archive);
  const entries: { name: string; mode: string; contents: string }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const field = (index: number): number =>
      Number.parseInt(bytes.toString("ascii", at + 6 + 8 * index, at + 14 + 8 * index), 16);
    expect(bytes.toString("ascii", at, at + 6)).toBe("070701");
    expect(at % 4).toBe(0);
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const nameAt = at + 110;
    const dataAt = nameAt + nameSize + ((4 - ((110 + nameSize) % 4)) % 4);
    expect(bytes[nameAt + nameSize - 1]).toBe(0);
    const name = bytes.toString("utf8", nameAt, nameAt + nameSize - 1);
    entries.push({ name, mode: mode.toString(8), contents: bytes.toString("utf8", dataAt, dataAt + size) });
    at = dataAt + size + ((4 - (size % 4)) % 4);
  }
  return entries;
}

test("an archive MUST hold every file with its mode, each folder above it first, and end with a trailer", () => {
  const archive = packArchive([
    { path: "init", contents: Buffer.from("agent"), mode: "executable" },
    { path: "lib/modules/a.ko", contents: Buffer.from("1234") },
    { path: "lib/modules/b.ko", contents: new Uint8Array() },
  ]);
  expect(unpack(archive)).toEqual([
    { name: "lib", mode: "40755", contents: "" },
    { name: "lib/modules", mode: "40755", contents: "" },
    { name: "init", mode: "100755", contents: "agent" },
    { name: "lib/modules/a.ko", mode: "100644", contents: "1234" },
    { name: "lib/modules/b.ko", mode: "100644", contents: "" },
    { name: "TRAILER!!!", mode: "0", contents: "" },
  ]);
});
