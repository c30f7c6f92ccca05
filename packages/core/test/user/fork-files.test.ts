import { describe, expect, test } from "vitest";
import { EBADF, EINVAL, ENOMEM } from "../../src/contract/errno.ts";
import type { File } from "../../src/device/file.ts";
import { openDevice, TestDevice } from "../support/test-device.ts";
import { ok, RW, runProgram, World } from "../support/world.ts";

describe("the open files of a child", () => {
  test("are its own before its address space is: a descriptor closed meanwhile leaves the child its file", () => {
    const order: string[] = [];
    runProgram((world) => {
      const held: TestDevice = new TestDevice(world, {
        path: "/dev/held",
        pages: 1,
        file: { release: () => void order.push("release") },
      });
      const slow = new TestDevice(world, {
        path: "/dev/slow",
        pages: 1,
        ops: {
          *open() {
            order.push("the mm is copied");
            yield* world.kernel.time.sleep(100);
          },
        },
      });
      return function* (thread) {
        const descriptor = yield* openDevice(thread, held);
        const other = yield* openDevice(thread, slow);
        const shape = { length: world.page, protection: RW, sharing: "shared" } as const;
        ok(yield* thread.mmap({ ...shape, descriptor: other }));
        thread.spawn(function* (own) {
          yield* own.nanosleep(50);
          expect(yield* own.close(descriptor)).toBe(0);
          order.push("closed");
        });
        const child = yield* thread.fork(function* (own) {
          expect(own.process.file(descriptor)).toBeDefined();
          expect(yield* own.close(descriptor)).toBe(0);
          order.push("the child has closed it");
        });
        if (typeof child !== "number") yield* child.waitForEnd();
        expect(thread.process.file(descriptor)).toBeUndefined();
        expect(order).toEqual(["the mm is copied", "closed", "release", "the child has closed it"]);
      };
    });
  });

  test("are given back by a fork that fails, after the areas that were copied", () => {
    let isGiven = true;
    const seen: string[] = [];
    const world = new World({ allocations: { mayAllocate: (site) => isGiven || site !== "vm_area_alloc" } });
    const device: TestDevice = new TestDevice(world, {
      pages: 1,
      ops: {
        open: ({ file }) => {
          isGiven = false;
          seen.push(`open with ${(file as File).references}`);
        },
        close: ({ file }) => void seen.push(`close with ${(file as File).references}`),
      },
    });
    world.run(function* (thread) {
      const descriptor = yield* openDevice(thread, device);
      const shape = { length: world.page, protection: RW, sharing: "shared", descriptor } as const;
      const first = ok(yield* thread.mmap(shape));
      const second = ok(yield* thread.mmap(shape));
      const file = thread.process.file(descriptor);
      expect(file?.references).toBe(3);
      expect(yield* thread.fork(function* () {})).toBe(-ENOMEM);
      expect(seen, "two areas, two descriptors and the child's area").toEqual([
        "open with 5",
        "close with 5",
      ]);
      expect(file?.references).toBe(3);
      ok(yield* thread.munmap(first, world.page));
      ok(yield* thread.munmap(second, world.page));
    });
    world.finish();
  });
});

describe("read and write", () => {
  test("of a length below 0 are refused with EINVAL before the driver is asked, but after a wrong descriptor", () => {
    runProgram((world) => {
      const asked: number[] = [];
      const record = function* (_file: unknown, _buffer: unknown, length: number) {
        asked.push(length);
        return length;
      };
      const device = new TestDevice(world, { file: { read: record, write: record } });
      return function* (thread) {
        const descriptor = yield* openDevice(thread, device);
        expect(yield* thread.read(descriptor, 0, -1)).toBe(-EINVAL);
        expect(yield* thread.write(descriptor, 0, -1)).toBe(-EINVAL);
        expect(yield* thread.read(descriptor, 0, 0)).toBe(0);
        expect(asked).toEqual([0]);
        expect(yield* thread.read(descriptor + 1, 0, -1)).toBe(-EBADF);
        expect(yield* thread.write(yield* openDevice(thread, device, "read"), 0, -1)).toBe(-EBADF);
      };
    });
  });
});
