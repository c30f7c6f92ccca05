import { type Contender, contendersOf, type LawCase } from "@nopage/testkit";
import { describe, expect, it } from "vitest";
import { replayLaw, settingOf } from "#src/explore/replay-law";
import { gateOf } from "#src/laws/support/taking-away";
import { plainPages } from "#src/model/plain-pages";
import { succeed } from "#src/program/expect";
import { user } from "#src/program/user";

const [contender] = contendersOf(plainPages) as readonly [Contender];

/** A page is touched, taken away and given back, while a second thread makes the steps count. */
const lawCase: LawCase = {
  when: "",
  schedule: "racy",
  *program({ subject }) {
    const thread = yield* user.thread(function* () {
      yield* user.sleep(1);
    });
    const address = yield* succeed("mmap", subject.map());
    yield* user.load(address);
    yield* gateOf(subject).close();
    yield* gateOf(subject).open();
    yield* user.munmap(address, subject.pages * 4096);
    yield* user.join(thread);
  },
};

const { start, steps } = replayLaw(settingOf(lawCase, contender, "x86-64"), []);
const changes = steps.flatMap((step) => step.changes);
const historyOf = (kind: string) => changes.filter((change) => change.kind === kind);

describe("what the steps of a replay change of the machine", () => {
  it("MUST be told of areas, from mmap to munmap", () => {
    const [made, ...others] = historyOf("area");
    expect(made).toMatchObject({
      before: undefined,
      after: expect.stringMatching(/^to 0x[0-9a-f]+, page 0 on, rd/),
    });
    expect(others.at(-1)?.after).toBeUndefined();
  });

  it("MUST be told of entries and TLBs: filled by the fault, emptied by the zap", () => {
    for (const kind of ["entry", "tlb"]) {
      const [filled, emptied, ...others] = historyOf(kind);
      expect(filled).toMatchObject({ before: undefined, after: expect.stringMatching(/^frame \d+, r/) });
      expect(emptied).toMatchObject({ of: filled?.of, before: filled?.after, after: undefined });
      expect(others).toEqual([]);
    }
  });

  it("MUST be told of the counts of the frame and of the process", () => {
    const frame = historyOf("count").filter(({ of }) => of.startsWith("frame"));
    expect(frame.map(({ after }) => after)).toContain("2 references, 1 mappings, 0 pins");
    expect(frame.at(-1)?.after).toBe("1 references, 0 mappings, 0 pins");
    const resident = historyOf("count").filter(({ of }) => of === "pages of law");
    expect(resident.map(({ after }) => after)).toEqual(["1 resident", "0 resident", undefined]);
  });

  it("MUST be told of the gate", () => {
    expect(historyOf("gate").map(({ before, after }) => [before, after])).toEqual([
      [undefined, "open"],
      ["open", "closed"],
      ["closed", "open"],
    ]);
  });

  it("MUST follow from what there was, one change after the other", () => {
    const state = new Map(start.map(({ kind, of, after }) => [`${kind} ${of}`, after]));
    for (const { kind, of, before, after } of changes) {
      expect(state.get(`${kind} ${of}`)).toBe(before);
      expect(after).not.toBe(before);
      state.set(`${kind} ${of}`, after);
    }
  });

  it("MUST be told with the calls that the step was inside of", () => {
    const setting = steps.find((step) =>
      step.changes.some(({ kind, after }) => kind === "entry" && after !== undefined),
    );
    expect(setting?.callers[0]).toBe("page fault");
    expect(setting?.cpu).toBe(0);
  });
});
