import { retryNow, type UserAddress } from "@nopage/core";
import { must, mustBe, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { LawCase } from "../law.ts";
import { mustHaveFaulted } from "../support/accounts.ts";
import { gateOf, waitsAtNoGate } from "../support/gate-of.ts";
import { TO_READ } from "../support/get-pages.ts";
import { ownDevice } from "../support/own-device.ts";

/** FR-13: who takes faults for a process without being one of its threads. */
export const kernelThreadCase: LawCase = {
  when: "faults that a kernel thread takes for the process",
  schedule: "sequential",
  executor: "model",
  kinds: "one",
  *program() {
    let tries = 0;
    const device = yield* ownDevice({
      ops: ({ kernel, pages }) => ({
        nopage: ({ pgoff }) => {
          const page = pages[pgoff];
          const isLate = pgoff === 1 && tries++ === 0;
          return isLate || page === undefined ? retryNow : kernel.pages.handOver(page);
        },
      }),
    });
    const { address } = yield* device.mapped();
    const before = yield* user.faults();
    let held = 0;
    yield* user.kernel(function* ({ kernel, thread: { mm } }) {
      kernel.time.spawnKernelThread(
        "worker",
        function* () {
          const pages = yield* kernel.user.getPages(mm, address as UserAddress, 2, TO_READ);
          if (typeof pages === "number") return;
          held = pages.length;
          for (const page of pages) yield* kernel.user.releasePage(mm, page, "pin", "clean");
        },
        "required",
      );
    });
    yield* user.settle();
    mustBe("the pages that the kernel thread has had", held, 2);
    yield* mustHaveFaulted("a kernel thread", before, { minor: 0, major: 0 });
    for (const page of [0, 1]) {
      yield* user.load(address + page * device.machine.geometry.pageSize);
    }
    yield* mustHaveFaulted("loads from what is mapped by now", before, { minor: 0, major: 0 });
    yield* device.release();
  },
};

/** FR-09: a copy by the kernel that waits at a gate ends for who is killed. */
export const killedCopyCase: LawCase = {
  when: "a copy by the kernel that waits, and SIGKILL",
  schedule: "sequential",
  executor: "model",
  excluded: waitsAtNoGate,
  *program({ subject }) {
    yield* gateOf(subject).close();
    let uncopied: unknown = "nothing yet";
    const copier = yield* user.process(function* () {
      uncopied = yield* copyIn(yield* succeed("mmap", subject.map()));
    }, "copier");
    yield* user.settle();
    mustBe("a copy from what is taken away", uncopied, "nothing yet");
    yield* user.kill(copier, "SIGKILL");
    mustBe("the end of the copier", yield* user.join(copier), { signal: "SIGKILL" });
    mustBe("the bytes that were not copied", uncopied, 4);
    yield* gateOf(subject).open();
  },
};

/** FR-06: a copy by the kernel that meets a handler which installs nothing ends for who is killed. */
export const fruitlessCopyCase: LawCase = {
  when: "a handler that installs nothing, a copy by the kernel, and SIGKILL",
  schedule: "sequential",
  executor: "model",
  kinds: "one",
  *program() {
    const device = yield* ownDevice({ ops: () => ({ nopage: () => ({ kind: "installed" }) }) });
    let uncopied: unknown = "nothing yet";
    const copier = yield* user.process(function* () {
      const { address } = yield* device.mapped();
      uncopied = yield* copyIn(address);
    }, "copier");
    yield* user.sleep(20_000);
    must((yield* user.stateOf(copier)) !== "ended", "the copier has ended without the page");
    yield* user.kill(copier, "SIGKILL");
    mustBe("the end of the copier", yield* user.join(copier), { signal: "SIGKILL" });
    mustBe("the bytes that were not copied", uncopied, 4);
    yield* device.release();
  },
};

/** `copy_from_user` of a word: the bytes that were not copied. */
function* copyIn(address: number): Steps<number> {
  return yield* user.kernel(({ kernel }) => kernel.user.copyFrom(address as UserAddress, new Uint8Array(4)));
}
