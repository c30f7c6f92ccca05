import { violationKinds } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { allLaws } from "#src/laws/all-laws";
import { allMutants } from "../mutants/all-mutants.ts";
import type { Setup } from "../mutants/mutant.ts";
import { notReenacted, unfailedLaws, unfailedSanitizers } from "../mutants/not-reenacted.ts";
import { judge, MUTANT_EXECUTIONS, mutantResults } from "../mutants/run-mutants.ts";

describe("a mutant", () => {
  it.each(allMutants)("of $bug, $name, MUST be caught by what it names", (mutant) => {
    const [result] = mutantResults({ mutants: [mutant.name] });
    const named = [...Object.keys(mutant.caughtBy), ...(mutant.sanitizers ?? [])];
    expect(result).toMatchObject({ name: mutant.name, caught: true, by: named });
  });

  // A law that breaks off leaves whoever it holds up, who is then reported as well: of the mutant that says nothing.
  it("MUST NOT be taken for caught by a wait of the law's own", () => {
    const own = "deadlock: thread sleeps on the law to look around";
    const signs = allMutants.flatMap(({ name, caughtBy }) =>
      Object.entries(caughtBy).map(([law, sign]) => ({ what: `${name}, ${law}`, sign })),
    );
    expect(signs.filter(({ sign }) => sign.test(own)).map(({ what }) => what)).toEqual([]);
  });

  it("MUST have a name of its own", () => {
    const names = allMutants.map(({ name }) => name);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});

describe("the counterpart of a mutant", () => {
  const all = new Map<string, { law: string; right: Setup; name: string; orders: number }>();
  for (const { name, right, caughtBy, schedule } of allMutants) {
    const who = right.contenders[0]?.name ?? name;
    for (const law of Object.keys(caughtBy)) {
      // Where a mutant may take as many orders to be caught, what is right has to hold in as many.
      const orders = schedule === "racy" ? MUTANT_EXECUTIONS : 2;
      const known = all.get(`${who}, ${law}`);
      if (known === undefined || known.orders < orders)
        all.set(`${who}, ${law}`, { law, right, name: who, orders });
    }
  }

  it.each([...all.values()])("$name MUST keep $law, in up to $orders orders", ({ law, right, orders }) => {
    const { problems, runs } = judge(right, law, orders);
    expect(problems).toEqual([]);
    // Who does not claim what a mutant claims falsely need not be held to it.
    if (!isCapability(law)) expect(runs).toBeGreaterThan(0);
  });
});

function isCapability(law: string): boolean {
  return allLaws.some(({ id, level }) => id === law && level === "capability");
}

/** The bugs of the list, which is numbered from 1 to 70 and leaves some numbers out. */
const unused = new Set([5, 8, 13, 20, 23, 26, 28, 30, 40, 43, 45, 47, 52, 53, 59, 66, 68]);
const listedBugs = Array.from({ length: 70 }, (_, index) => index + 1)
  .filter((number) => !unused.has(number))
  .map((number) => `B${String(number).padStart(2, "0")}`);

describe("together the mutants", () => {
  it("MUST fail every law but those that are listed with a reason", () => {
    const failed = new Set(allMutants.flatMap(({ caughtBy }) => Object.keys(caughtBy)));
    const unfailed = allLaws.filter(({ id, level }) => level !== "untested" && !failed.has(id));
    expect(unfailed.map(({ id }) => id)).toEqual(unfailedLaws.map(({ law }) => law));
  });

  it("MUST set off every sanitizer but those that are listed with a reason", () => {
    const fired = new Set(allMutants.flatMap(({ sanitizers = [] }) => sanitizers));
    const silent = violationKinds.filter((kind) => !fired.has(kind));
    expect(silent).toEqual(unfailedSanitizers.map(({ kind }) => kind));
  });

  it("MUST re-enact every bug that is not listed with a reason, and none that is", () => {
    const reenacted = new Set(allMutants.map(({ bug }) => bug));
    expect(notReenacted.filter(({ bug }) => reenacted.has(bug))).toEqual([]);
    const told = new Set([...reenacted, ...notReenacted.map(({ bug }) => bug)]);
    expect(listedBugs.filter((bug) => !told.has(bug))).toEqual([]);
    for (const { reason } of [...notReenacted, ...unfailedLaws, ...unfailedSanitizers]) {
      expect(reason.length).toBeGreaterThan(20);
    }
  });
});
