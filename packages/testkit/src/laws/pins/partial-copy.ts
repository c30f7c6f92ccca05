import { EFAULT, type UserAddress } from "@nopage/core";
import { must, mustBe } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import type { LawCase } from "../law.ts";
import { privateMemory } from "../support/private-memory.ts";

/** GP-08: process_vm_readv moves what can be had before the first page that cannot. */
export const partialCopyCases: readonly LawCase[] = [
  {
    when: "process_vm_readv into what is not mapped",
    schedule: "sequential",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [1, 2, 3]);
      yield* user.munmap(own + pageSize, pageSize);
      const moved = yield* user.processVmRead(own + 4, 2 * pageSize);
      mustBe("the bytes moved up to a hole", typeof moved === "number" ? moved : moved.length, pageSize - 4);
      mustBe("process_vm_readv of the hole", yield* user.processVmRead(own + pageSize, 4), -EFAULT);
    },
  },
  {
    when: "process_vm_writev and process_vm_readv across pages, while another thread stores",
    schedule: "racy",
    executor: "model",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [1]);
      const storer = yield* user.thread(function* () {
        yield* user.store(own, 2);
      }, "storer");
      const written = yield* user.kernel(({ thread }) =>
        thread.processVmWritev(thread.process, (own + 4) as UserAddress, Uint8Array.of(7, 0, 0, 0)),
      );
      mustBe("the bytes written", written, 4);
      const seen = yield* user.processVmRead(own, 8);
      must(typeof seen !== "number", `process_vm_readv answers ${String(seen)}, and must succeed`);
      if (typeof seen === "number") return;
      const words = new DataView(seen.buffer, seen.byteOffset);
      const first = words.getUint32(0, true);
      must(first === 1 || first === 2, `process_vm_readv sees ${first}, which nobody stored`);
      mustBe("what it sees of its own write", words.getUint32(4, true), 7);
      yield* user.join(storer);
      mustBe("the first word", yield* user.load(own), 2);
      mustBe("the second word", yield* user.load(own + 4), 7);
    },
  },
];
