import { describe, expect, test } from "vitest";
import { installed, mapPage, retryNow } from "../../src/contract/outcome.ts";
import { answering, map, TestDevice } from "../support/test-device.ts";
import { runProgram, started, World } from "../support/world.ts";

describe("NOPAGE without an entry", () => {
  test("FR-06 MUST leave the looping thread killable, and the clock running", () => {
    const world = new World();
    let asked = 0;
    const device = answering(world, () => {
      asked++;
      return installed;
    });
    world.run(function* (thread) {
      const child = yield* thread.fork(function* (own) {
        const at = yield* map(own, device);
        yield* own.load(at);
        throw new Error("the load came back");
      });
      if (typeof child === "number") throw new Error("no child");
      yield* thread.nanosleep(1_000_000);
      expect(asked).toBeGreaterThan(3);
      expect(child.isGone).toBe(false);
      child.kill("SIGKILL");
      yield* child.waitForEnd();
      expect(child.exit).toEqual({ signal: "SIGKILL" });
    });
    world.finish();
  });

  test("FR-06 MUST leave a get_user_pages caller killable", () => {
    const world = new World();
    const device: TestDevice = new TestDevice(world, {
      pages: 1,
      ops: { nopage: () => installed },
      file: {
        *read(_file, buffer) {
          const pages = yield* world.kernel.user.getPages(world.kernel.user.currentMm()!, buffer, 1, {
            access: "read",
            hold: "pin",
            permission: "checked",
          });
          return typeof pages === "number" ? pages : 0;
        },
      },
    });
    world.run(function* (thread) {
      const child = yield* thread.fork(function* (own) {
        const at = yield* map(own, device);
        const descriptor = yield* own.open({ path: device.path, mode: "read", blocking: "blocking" });
        yield* own.read(descriptor, at, 4);
        throw new Error("the call came back");
      });
      if (typeof child === "number") throw new Error("no child");
      yield* thread.nanosleep(1_000_000);
      child.kill("SIGKILL");
      yield* child.waitForEnd();
      expect(child.exit).toEqual({ signal: "SIGKILL" });
    });
    world.finish();
  });
});

describe("retry", () => {
  test("answered for ever MUST NOT hang the machine: the thread can be killed", () => {
    const world = new World();
    const device = answering(world, () => retryNow);
    world.run(function* (thread) {
      const child = yield* thread.fork(function* (own) {
        yield* own.load(yield* map(own, device));
      });
      if (typeof child === "number") throw new Error("no child");
      yield* thread.nanosleep(1_000_000);
      child.kill("SIGTERM");
      yield* child.waitForEnd();
      expect(child.exit).toEqual({ signal: "SIGTERM" });
    });
    world.finish();
  });

  test("FR-13 MUST make the fault a major one, while first tries are minor", () => {
    runProgram((world) => {
      let retries = 2;
      const device = answering(world, (fault, self) => {
        if (fault.pgoff === 1 && retries-- > 0) return retryNow;
        world.machine.memory.frames.get(self.pages[fault.pgoff]);
        return mapPage(self.pages[fault.pgoff]);
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        yield* thread.load(at);
        expect([thread.minorFaults, thread.majorFaults]).toEqual([1, 0]);
        yield* thread.load(at + world.page);
        expect([thread.minorFaults, thread.majorFaults]).toEqual([1, 1]);
      };
    });
  });

  test("FR-13 a fault that starts anew after a signal MUST count as minor", () => {
    runProgram((world) => {
      let isClosed = true;
      const gate = world.machine.createGate("test");
      const device = answering(world, (fault, self) => {
        if (isClosed) return { kind: "retry", until: "gate-opens" };
        world.machine.memory.frames.get(self.pages[fault.pgoff]);
        return mapPage(self.pages[fault.pgoff]);
      });
      return function* (thread) {
        yield* gate.close();
        const at = yield* map(thread, device);
        const area = thread.mm.areas.find(at)!;
        area.backing = { gate, name: "test", pages: 4, mapping: device.inode.mapping } as never;
        let handled = 0;
        const faulter = started(
          thread.spawn(function* (own) {
            own.sigaction("SIGUSR1", () => {
              handled++;
              isClosed = false;
            });
            yield* own.load(at);
          }),
        );
        yield* thread.nanosleep(100);
        yield* gate.open();
        yield* gate.close();
        yield* thread.nanosleep(100);
        yield* gate.open();
        faulter.receive("SIGUSR1");
        yield* thread.nanosleep(100);
        expect(handled).toBe(1);
        expect([faulter.minorFaults, faulter.majorFaults]).toEqual([1, 0]);
        area.backing = undefined;
      };
    });
  });
});
