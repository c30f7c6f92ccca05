import { describe, expect, test } from "vitest";
import { oom } from "../../src/contract/outcome.ts";
import { answering, map, TestDevice } from "../support/test-device.ts";
import { runProgram, type World } from "../support/world.ts";

describe("an access by the kernel", () => {
  /** A driver whose write copies from the user, and whose read copies to it. */
  function copying(world: World): TestDevice {
    return new TestDevice(world, {
      path: "/dev/copier",
      file: {
        *read(_file, buffer, length) {
          const left = yield* world.kernel.user.copyTo(buffer, new Uint8Array(length).fill(7));
          return left === length ? -14 : length - left;
        },
        *write(_file, buffer, length) {
          const data = new Uint8Array(length).fill(1);
          const left = yield* world.kernel.user.copyFrom(buffer, data);
          expect([...data.subarray(length - left)].every((byte) => byte === 0)).toBe(true);
          return left === length ? -14 : length - left;
        },
      },
    });
  }

  test("FR-09 to a hole MUST end in EFAULT and raise no signal", () => {
    runProgram((world) => {
      const copier = copying(world);
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 2 });
        const descriptor = yield* thread.open({
          path: copier.path,
          mode: "read-write",
          blocking: "blocking",
        });
        const faults = thread.minorFaults;
        expect(yield* thread.read(descriptor, at + world.page, 8)).toBe(-14);
        expect(yield* thread.write(descriptor, at + world.page, 8)).toBe(-14);
        expect(yield* thread.read(descriptor, 0x1000, 8)).toBe(-14);
        expect(thread.minorFaults).toBe(faults);
        expect(yield* thread.read(descriptor, at + world.page - 8, 16)).toBe(8);
        expect(yield* thread.load(at + world.page - 4)).toBe(0x07070707);
        expect(yield* thread.write(descriptor, at + world.page - 8, 16)).toBe(8);
        expect(yield* thread.read(descriptor, world.machine.geometry.userEnd, 8)).toBe(-14);
      };
    });
  });

  test("FR-03 where memory lacks MUST end in an error, not in a retry", () => {
    runProgram((world) => {
      const copier = copying(world);
      let asked = 0;
      const device = answering(world, () => {
        asked++;
        return oom;
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        const descriptor = yield* thread.open({
          path: copier.path,
          mode: "read-write",
          blocking: "blocking",
        });
        expect(yield* thread.write(descriptor, at, 8)).toBe(-14);
        expect(asked).toBe(1);
      };
    });
  });
});
