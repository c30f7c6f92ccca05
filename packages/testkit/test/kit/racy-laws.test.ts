import { defineStrategy, isTrap, type Shared, sigbus, VM_MIXEDMAP } from "@nopage/core";
import { expect, it } from "vitest";
import type { Law } from "#src/laws/law";
import { contendersOf } from "#src/model/contender";
import { plainPages } from "#src/model/plain-pages";
import { mustBe, succeed } from "#src/program/expect";
import { user } from "#src/program/user";
import { runLaw } from "#src/run/run-law";

/** One thread touches a page while another takes the mapping away and gives it back. */
const law: Law = {
  id: "XX-01",
  level: "required",
  owner: ["strategy"],
  rule: "what is taken away MUST NOT be seen",
  source: "this test",
  cases: [
    {
      when: "",
      schedule: "racy",
      *program({ subject }) {
        const address = yield* succeed("mmap", subject.map());
        const reader = yield* user.thread(function* () {
          const seen = yield* user.load(address);
          if (!isTrap(seen)) mustBe("what the reader sees", seen, subject.markOf(0));
        }, "reader");
        yield* subject.gate?.close() ?? [];
        yield* subject.gate?.open() ?? [];
        yield* user.join(reader);
      },
    },
  ],
};

/** Looks at the gate, and writes the entry itself without another look. */
const forgetful = defineStrategy({
  ...plainPages,
  name: "forgetful",
  supports: { ...plainPages.supports, holes: false },
  create(kernel) {
    const looks: Shared<number> = kernel.sync.shared("looks at the gate", 0);
    return {
      mmap(area, backing) {
        area.flags |= VM_MIXEDMAP;
        return {
          name: "forgetful",
          *nopage(fault) {
            if (fault.gate !== "open" || backing.memory.kind !== "page-array") return sigbus;
            yield* looks.set(1);
            const page = backing.memory.list[fault.pgoff];
            if (page === undefined) return sigbus;
            const result = yield* kernel.mappings.insertPage(fault.area, fault.address, page);
            return result === 0 ? { kind: "installed" } : sigbus;
          },
        };
      },
    };
  },
});

it("a racy law MUST be tried in as many orders as allowed, and say whether those are all", () => {
  const sample = runLaw(law, contendersOf(plainPages), "x86-64", 3);
  expect(sample).toMatchObject({ status: "pass", explored: "6 orders of steps, and there are more" });
  const full = runLaw(law, contendersOf(plainPages), "x86-64", Number.POSITIVE_INFINITY);
  expect(full).toMatchObject({
    status: "pass",
    explored: expect.stringMatching(/^\d+ orders of steps, which are all$/),
  });
});

it("a strategy that is right in the order of starting alone MUST be caught, in the first order that shows it", () => {
  const { status, reason } = runLaw(law, contendersOf(forgetful), "x86-64", Number.POSITIVE_INFINITY);
  expect(status).toBe("fail");
  expect(reason).toMatch(
    /^forgetful on page-array: in order \d+ of those that were tried, what the reader sees is 0xdeaddead/,
  );
});
