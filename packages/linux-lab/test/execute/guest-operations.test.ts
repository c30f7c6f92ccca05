import { describe, expect, test } from "vitest";
import { askedFor } from "../../src/execute/guest-operations.ts";
import type { AgentAnswer } from "../../src/guest/line-protocol.ts";
import { readAnswers } from "../../src/guest/line-protocol.ts";

/** What the guest is asked for, and what its answer means. */
function exchange(call: Parameters<typeof askedFor>[0], request: object, answer: string) {
  const asked = askedFor(call, request);
  if (asked === undefined) throw new Error(`${call} is not asked of the guest`);
  if ("answer" in asked) return { answer: asked.answer };
  const [read] = readAnswers(answer) as readonly [AgentAnswer];
  return { words: asked.words, answer: asked.read(read) };
}

describe("operations in the guest", () => {
  test("mmap MUST say its flags and its offset in bytes", () => {
    const shared = { address: 4096, length: 8192, protection: 3, sharing: "shared", placement: "fixed" };
    expect(exchange("mmap", { ...shared, descriptor: 5, pgoff: 2 }, "is 4096")).toEqual({
      words: "call 9 4096 8192 3 17 5 0x2000",
      answer: 4096,
    });
    const anonymous = {
      length: 1,
      protection: 0,
      sharing: "private",
      locking: "locked",
      populating: "populate",
    };
    expect(exchange("mmap", anonymous, "is -12").words).toBe("call 9 0 1 0 40994 -1 0x0");
  });

  test("an offset whose bytes no register holds MUST be refused as the kernel refuses the largest", () => {
    const request = { length: 4096, protection: 1, sharing: "shared", descriptor: 5 };
    expect(exchange("mmap", { ...request, pgoff: 2 ** 52 }, "")).toEqual({ answer: -75 });
    expect(exchange("mmap", { ...request, pgoff: 2 ** 52 - 1 }, "is -75").words).toContain(
      "0xfffffffffffff000",
    );
  });

  test("loads MUST answer numbers up to 32 bits, bigints for 64, and traps", () => {
    expect(exchange("load", { address: 4096, width: 2 }, "value 0xface").answer).toBe(0xface);
    expect(exchange("load64", { address: 4096 }, "value 0xface000000000000").answer).toBe(
      0xface_0000_0000_0000n,
    );
    expect(exchange("load", { address: 0, width: 4 }, "trap 11 1 0x0").answer).toEqual({
      signal: "SIGSEGV",
      code: "SEGV_MAPERR",
      address: 0,
    });
    expect(exchange("store", { address: 4096, width: 4, value: 7 }, "done")).toEqual({
      words: "store 4 4096 7",
      answer: undefined,
    });
  });

  test("mincore, pagemap and smaps MUST be read page by page", () => {
    expect(exchange("mincore", { address: 4096, length: 8193 }, "is 0 010001").answer).toEqual([
      true,
      false,
      true,
    ]);
    expect(exchange("mincore", { address: 4096, length: 0 }, "is 0").answer).toEqual([]);
    const entries = `is 16 ${"00".repeat(7)}80${"00".repeat(8)}`;
    expect(exchange("pagemap", { address: 8192, pages: 2 }, entries)).toEqual({
      words: "read :2f70726f632f73656c662f706167656d6170 16 16",
      answer: [true, false],
    });
    const areas =
      "is 0 area 0x1000 0x3000 0x2000 shared :2f78 8 4 0 rd wr sh mr sd area 0x5000 0x6000 0x0 private : 0 0 4 rd";
    expect(exchange("smaps", {}, areas).answer).toEqual([
      {
        ...{ start: 0x1000, end: 0x3000, pgoff: 2, name: "/x", shared: true },
        ...{ rss: 2, anonymous: 1, locked: 0, flags: ["rd", "wr", "sh", "mr"] },
      },
      {
        ...{ start: 0x5000, end: 0x6000, pgoff: 0, name: "", shared: false },
        ...{ rss: 0, anonymous: 0, locked: 1, flags: ["rd"] },
      },
    ]);
  });

  test("what concerns several actors MUST NOT be asked of one of them", () => {
    expect(askedFor("join", {})).toBeUndefined();
    expect(askedFor("kernel", {})).toBeUndefined();
  });
});
