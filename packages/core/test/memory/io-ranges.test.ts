import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EBUSY, EINVAL, ENOSPC } from "../../src/contract/errno.ts";
import type { Pfn } from "../../src/contract/units.ts";
import { type IoDevice, type IoRange, IoRanges, readIo64, writeIo64 } from "../../src/memory/io-ranges.ts";
import { alpha, type Geometry, geometries, i386, x86_64 } from "../../src/mmu/geometry.ts";
import { Reports } from "./machine-memory.ts";

const device: IoDevice = { read: () => 0, write: () => {} };
const GIB = 2 ** 30;

function ranges(geometry: Geometry = x86_64, ramFrames = 1024) {
  const reports = new Reports();
  const io = new IoRanges(geometry, ramFrames, reports);
  const claim = (pages: number, at?: number): IoRange => {
    const range = io.claim("window", pages, device, at as Pfn | undefined);
    if (typeof range === "number") throw new Error(`refused with ${range}`);
    return range;
  };
  return { io, reports, claim };
}

describe("placement", () => {
  test.each(Object.values(geometries))(
    "of a BAR of 1 MiB on $name is below 4 GiB and aligned",
    (geometry) => {
      const { claim } = ranges(geometry);
      for (let bar = 0; bar < 3; bar++) {
        const { startPfn, endPfn } = claim(2 ** 20 / geometry.pageSize);
        expect((startPfn * geometry.pageSize) % 2 ** 20).toBe(0);
        expect(endPfn * geometry.pageSize).toBeLessThanOrEqual(4 * GIB);
        expect(startPfn * geometry.pageSize).toBeGreaterThanOrEqual(2 * GIB);
      }
    },
  );

  test("of a window of 1 GiB or more is above 64 GiB, but for 32-bit machines", () => {
    expect(ranges(x86_64).claim(GIB / 4096).startPfn * 4096).toBe(64 * GIB);
    expect(ranges(alpha).claim(2 ** 40 / 8192).startPfn * 8192).toBe(2 ** 40);
    expect(ranges(i386).claim(GIB / 4096).startPfn * 4096).toBe(2 * GIB);
  });

  test("of windows of 2^40 bytes and more costs nothing and knows all their frames", () => {
    const { io, claim } = ranges();
    const range = claim(2 ** 48 / 4096);
    expect(io.find((range.endPfn - 1) as Pfn)).toBe(range);
    expect(io.find(range.endPfn)).toBeUndefined();
    io.release(range);
    expect(claim(2 ** 48 / 4096)).toEqual(range);
  });

  test("moves small windows above 4 GiB when there is no room below", () => {
    const { claim } = ranges();
    for (let half = 0; half < 4; half++) claim(GIB / 2 / 4096);
    expect(claim(GIB / 2 / 4096).startPfn * 4096).toBe(4 * GIB);
  });

  test("reuses the lowest gap", () => {
    const { io, claim } = ranges();
    const [, second] = [claim(16), claim(16), claim(16)];
    io.release(second);
    expect(claim(16).startPfn).toBe(second.startPfn);
  });

  test("by the caller is where the caller says", () => {
    const { io, claim } = ranges();
    const range = claim(3, 0xfebd1);
    expect([range.startPfn, range.endPfn]).toEqual([0xfebd1, 0xfebd4]);
    expect(io.find(0xfebd3 as Pfn)).toBe(range);
  });
});

describe("refusals", () => {
  test("-EBUSY over RAM and over another window, even by one frame", () => {
    const { io, claim } = ranges();
    claim(16, 0x90000);
    for (const at of [0x90000, 0x8fff1, 0x9000f, 1023, 0]) {
      expect(io.claim("late", 16, device, at as Pfn)).toBe(-EBUSY);
    }
    expect(typeof io.claim("fits", 16, device, 0x8fff0 as Pfn)).toBe("object");
    expect(typeof io.claim("fits", 16, device, 0x90010 as Pfn)).toBe("object");
  });

  test("-ENOSPC when nothing is left", () => {
    const { io } = ranges(i386);
    expect(typeof io.claim("one", GIB / 4096, device)).toBe("object");
    expect(typeof io.claim("two", GIB / 4096, device)).toBe("object");
    expect(io.claim("three", 1, device)).toBe(-ENOSPC);
  });

  test("-EINVAL for nothing, and for what is beyond the physical address space", () => {
    const { io } = ranges();
    expect(io.claim("none", 0, device)).toBe(-EINVAL);
    expect(io.claim("half", 0.5, device)).toBe(-EINVAL);
    expect(io.claim("far", 2, device, (2 ** 40 - 1) as Pfn)).toBe(-EINVAL);
  });

  test("a window given up twice is reported", () => {
    const { io, reports, claim } = ranges();
    const range = claim(4);
    io.release(range);
    io.release(range);
    expect(reports.take()).toEqual(["double-free"]);
    expect(io.find(range.startPfn)).toBeUndefined();
  });
});

describe("whatever is claimed and released", () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ pages: fc.integer({ min: 1, max: 2 ** 14 }) }),
      fc.record({ pages: fc.integer({ min: 1, max: 64 }), at: fc.integer({ min: 0x80000, max: 0x80400 }) }),
      fc.record({ release: fc.nat() }),
    ),
    { maxLength: 120, size: "max" },
  );

  test("windows never overlap and every frame is found in its own", () => {
    fc.assert(
      fc.property(steps, (program) => {
        const { io, reports } = ranges();
        const live: IoRange[] = [];
        for (const step of program) {
          if ("release" in step) {
            if (live.length > 0) io.release(live.splice(step.release % live.length, 1)[0]);
            continue;
          }
          const at = "at" in step ? step.at : undefined;
          const range = io.claim("window", step.pages, device, at as Pfn | undefined);
          const overlaps = (start: number, end: number): boolean =>
            live.some((other) => other.startPfn < end && start < other.endPfn);
          if (typeof range === "number") {
            expect(at !== undefined && overlaps(at, at + step.pages)).toBe(true);
            continue;
          }
          expect(range.endPfn - range.startPfn).toBe(step.pages);
          expect(overlaps(range.startPfn, range.endPfn)).toBe(false);
          live.push(range);
        }
        live.sort((one, other) => one.startPfn - other.startPfn);
        expect(io.list()).toEqual(live);
        for (const range of live) {
          expect(io.find(range.startPfn)).toBe(range);
          expect(io.find((range.endPfn - 1) as Pfn)).toBe(range);
          const owner = live.find(({ startPfn }) => startPfn === range.endPfn);
          expect(io.find(range.endPfn)).toBe(owner);
        }
        expect(reports.take()).toEqual([]);
      }),
      { seed: 1998 },
    );
  });
});

describe("8 bytes at a time", () => {
  test("are two accesses of 4, the lower half first, unless the device takes them whole", () => {
    const seen: string[] = [];
    const registers: IoDevice = {
      read(offset, width) {
        seen.push(`read ${offset} ${width}`);
        return offset === 8 ? 0xfffffffe : 0x80000001;
      },
      write: (offset, width, value) => seen.push(`write ${offset} ${width} ${value}`),
    };
    expect(readIo64(registers, 8)).toBe(0x80000001_fffffffen);
    writeIo64(registers, 8, 0x80000001_fffffffen);
    expect(seen).toEqual(["read 8 4", "read 12 4", "write 8 4 4294967294", "write 12 4 2147483649"]);
  });

  test("reach a device that takes them whole", () => {
    let stored = 0n;
    const wide: IoDevice = {
      ...device,
      read64: () => stored,
      write64: (_offset, value) => {
        stored = value;
      },
    };
    writeIo64(wide, 0, 2n ** 63n);
    expect(readIo64(wide, 0)).toBe(2n ** 63n);
  });
});
