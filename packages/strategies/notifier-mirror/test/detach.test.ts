import {
  createKernel,
  type DeviceFollower,
  EFAULT,
  type Kernel,
  Machine,
  type UserAddress,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import { runPrograms, takeStock } from "@nopage/testkit";
import { describe, expect, it } from "vitest";
import { intervalMirror, notifierMirror } from "../src/index.ts";

describe.each([notifierMirror, intervalMirror])(
  "$name whose driver lets go while somebody populates",
  (mirror) => {
    // What the driver does when a process's file is released while another process has the device work for it.
    it("MUST make no entry any more, and leave nothing behind", () => {
      const machine = new Machine({ ramPages: 128, sanitizers: "all" });
      const plain = createKernel(machine);
      const before = takeStock(machine);
      let follower: DeviceFollower | undefined;
      const lettingGo: Kernel["user"]["getPages"] = function* (mm, start, count, how) {
        const pages = yield* plain.user.getPages(mm, start, count, how);
        yield* follower?.detach() ?? [];
        return pages;
      };
      const kernel: Kernel = { ...plain, user: { ...plain.user, getPages: lettingGo } };
      machine.spawn("populates", function* (thread) {
        const how = { length: 4096, protection: VM_READ | VM_WRITE, sharing: "private" } as const;
        const start = (yield* thread.mmap(how)) as UserAddress;
        const ranges = [{ start, end: (start + 4096) as UserAddress }];
        const followed = yield* mirror.create(kernel).follow({ mm: thread.mm, ranges, stop: () => {} });
        if (typeof followed === "number") throw new Error(`follow answered ${followed}`);
        follower = followed;
        const answer = yield* followed.populate(start, "write");
        expect(answer).toBe(-EFAULT);
        expect(followed.translate(start, "read")).toBeUndefined();
      });
      runPrograms(machine, before);
    });
  },
);
