import type { ParityResult, Race, RandomResult } from "@nopage/linux-lab";
import { describe, expect, test } from "vitest";
import { isSettled, labJson, labReport } from "../../src/report/lab-report.ts";
import { parityMarkdown } from "../../src/report/parity-markdown.ts";
import { randomJson, randomReport } from "../../src/report/random-report.ts";

const quiet = { reason: "", programs: [], races: [], stale: [] } as const;
const agree = { status: "agree", model: "holds", linux: "holds", ...quiet } as const;
const skip = { ...agree, status: "skip", model: "", linux: "", reason: "it has no gate" } as const;
const race: Race = {
  program: "while it is cut",
  runs: 50,
  search: "complete",
  outcomes: [
    { outcome: "main: 1st load = 7", times: 50, allowed: "yes" },
    { outcome: "main: 1st load = SIGBUS", times: 0, allowed: "yes" },
  ],
};
const results: readonly ParityResult[] = [
  { subject: "a.pages", law: "LK-02", ...agree },
  { subject: "a.pages", law: "LK-06", ...agree, linux: "holds; 1 of 2 allowed outcomes seen", races: [race] },
  { subject: "a.pages", law: "MO-02", ...agree, status: "explained", reason: "so <it> is" },
  { subject: "a.pages", law: "QU-02", ...skip },
  {
    subject: "b.pages",
    law: "LK-02",
    status: "disagree",
    model: "main: load = 1",
    linux: "main: load = 2",
    reason: "they do not agree in: b",
    programs: [{ when: "b", steps: ["main: mmap() = 0x5000", "model: 1", "Linux: 2"] }],
    races: [],
    stale: [],
  },
];
const document = { kernel: "6.1", results };

describe("what the lab tells", () => {
  test("as data: each result with exactly the fields that are promised", () => {
    const told = JSON.parse(labJson(document));
    expect(Object.keys(told)).toEqual(["kernel", "results", "races", "stale"]);
    expect(told.stale).toEqual([]);
    expect(told.races).toEqual([{ subject: "a.pages", law: "LK-06", ...race }]);
    for (const result of told.results) {
      expect(Object.keys(result)).toEqual(["subject", "law", "status", "model", "linux", "reason"]);
    }
  });

  test("as text: what agrees, what was seen of races, what is explained, and differences step by step", () => {
    const text = labReport(document);
    expect(text).toContain("agree      LK-02 LK-06\n");
    expect(text).toContain("race       LK-06, while it is cut: 1 of 2 allowed outcomes seen in 50 runs\n");
    expect(text).toContain("explained  MO-02: so <it> is\n");
    expect(text).toContain("skipped    QU-02: it has no gate\n");
    expect(text).toContain("    model: main: load = 1\n    Linux: main: load = 2\n    The program, b:\n");
    expect(text).toContain(
      "It does not agree: 1 difference; 2 laws on which both sides agree, 1 with a known",
    );
  });

  test("of races it tells which outcomes were seen, how often, and which not, where that is asked for", () => {
    const seen = /in 50 runs\n +50× main: 1st load = 7\n +not seen: main: 1st load = SIGBUS\n/;
    expect(labReport(document, "full")).toMatch(seen);
    expect(labReport(document)).not.toContain("1st load");
    const found = parityMarkdown(document, "2026-11-21");
    expect(found).toContain(
      "- LK-06, while it is cut\n  - main: 1st load = 7 (a.pages 50)\n  - main: 1st load = SIGBUS (a.pages 0)\n",
    );
  });

  test("of a race that the model was not searched through for it says so, everywhere", () => {
    const [first] = results;
    if (first === undefined) throw new Error("there are results");
    const outcomes: Race["outcomes"] = [
      ...race.outcomes,
      { outcome: "main: 1st load = 9", times: 1, allowed: "unknown" },
    ];
    const open = {
      kernel: "6.1",
      results: [{ ...first, races: [{ ...race, search: "incomplete", outcomes }] }],
    } as const;
    const text = labReport(open, "full");
    expect(text).toContain(
      "1 of at least 2 allowed outcomes seen in 50 runs; the model was not searched to the end",
    );
    expect(text).toContain("1× main: 1st load = 9 (not met by the search of the model)\n");
    expect(parityMarkdown(open, "2026-11-21")).toContain(
      "_the model was not searched to the end: it may allow more_ (a.pages)",
    );
    expect(JSON.parse(labJson(open)).races).toMatchObject([{ search: "incomplete" }]);
  });

  test("of allowed outcomes that were not seen it lists a dozen, and says how many more there are", () => {
    const [first] = results;
    if (first === undefined) throw new Error("there are results");
    const outcomes: Race["outcomes"] = Array.from({ length: 40 }, (_, at) => {
      return { outcome: `outcome ${at}`, times: at === 0 ? 50 : 0, allowed: "yes" };
    });
    const text = labReport(
      { kernel: "6.1", results: [{ ...first, races: [{ ...race, outcomes }] }] },
      "full",
    );
    expect(text.match(/not seen: outcome \d+/g)).toHaveLength(12);
    expect(text).toContain("not seen: 27 outcomes more\n");
  });

  test("an explanation that was not needed is told, in words and as data, and leaves nothing settled", () => {
    const [first] = results;
    if (first === undefined) throw new Error("there are results");
    const stale: ParityResult = { ...first, stale: ["it is so"] };
    const text = labReport({ kernel: "6.1", results: [stale] });
    expect(text).toContain("  stale explanation  LK-02 does not need it: it is so\n");
    expect(text).toContain("0 that do not apply; 1 stale explanation.");
    expect(JSON.parse(labJson({ kernel: "6.1", results: [stale] })).stale).toEqual([
      { subject: "a.pages", law: "LK-02", reason: "it is so" },
    ]);
    expect([first, stale].map(isSettled)).toEqual([true, false]);
    expect(results.every(isSettled)).toBe(false);
  });

  test("of a run that was cut short it tells by what, what was known, and that this is not all", () => {
    const [first] = results;
    if (first === undefined) throw new Error("there are results");
    const known = { kernel: "6.1", results: [first], cut: "SIGINT" };
    expect(labReport(known)).toMatch(
      /agree {6}LK-02\n(?:.*\n)*Cut short by SIGINT\..*\nSo far it agrees; 1 law /,
    );
    expect(JSON.parse(labJson(known))).toMatchObject({ cut: "SIGINT", results: [{ law: "LK-02" }] });
    expect(parityMarkdown(known, "2026-11-21")).toContain("\n**Cut short** by SIGINT. ");
    expect(labReport({ kernel: "6.1", results: [], cut: "SIGTERM" })).toMatch(
      /\nCut short by SIGTERM\..*\nNothing was known yet\.\n$/,
    );
    expect(labReport(document)).not.toContain("Cut short");
    const random = { kernel: "6.1", seed: 1, results: [], cut: "SIGINT" };
    expect(randomReport(random)).toMatch(/\nCut short by SIGINT\..*\nSo far it agrees; 0 sequences/);
    expect(JSON.parse(randomJson(random))).toMatchObject({ cut: "SIGINT" });
  });

  test("of a subject that the model does not have it tells which laws it keeps and breaks", () => {
    const held = { subject: "mine", law: "LK-02", ...agree, model: "must hold" };
    const broken: ParityResult = {
      ...held,
      law: "TR-04",
      status: "disagree",
      linux: "mine: it is 2",
      programs: [{ when: "", steps: ["main: load() = 2"] }],
    };
    const text = labReport({ kernel: "6.1", results: [held, broken] });
    expect(text).toContain("  holds      LK-02\n  BROKEN     TR-04 ");
    expect(text).toContain("\n    mine: it is 2\n    The program:\n      main: load() = 2\n");
    expect(text).toContain("It does not hold: 1 law broken; 1 law kept, 0 broken for a known reason, 0 that");
  });

  test("as Markdown: a line a law, a column a subject, and below what differs and what was not run", () => {
    const text = parityMarkdown(document, "2026-11-21");
    expect(text).toMatch(/\| LK-02 \| .* \| ✓ \| \*\*✗\*\* \|/);
    expect(text).toMatch(/\| MO-02 \| .* \| \(✓\) \| {2}\|/);
    expect(text).toContain("- MO-02: so &lt;it&gt; is (a.pages)");
    expect(text).toContain("- QU-02: it has no gate");
  });
});

describe("what random sequences come to", () => {
  const step = { step: "load", at: 0 } as const;
  const end = (outcome: string) => ({ problems: [], outcomes: [{ place: "0", step, outcome }], areas: [] });
  const difference = { place: "0", model: "1", linux: "2" };
  const finding = { steps: [step], difference, model: end("1"), linux: end("2") };
  const random: readonly RandomResult[] = [
    { subject: "a.pages", sequences: 3, explained: ["6.1", "6.1"], finding: undefined },
    { subject: "b.pages", sequences: 2, explained: [], finding },
  ];

  test("as text: the shortest sequence with both outcomes", () => {
    const text = randomReport({ kernel: "6.1", seed: 7, results: random });
    expect(text).toContain("a.pages  3 sequences, 2 up to a known difference (6.1), both agree\n");
    expect(text).toContain('  0 {"step":"load","at":0}\n      model: 1\n      Linux: 2\n');
    expect(text).toContain("It does not agree; 5 sequences, 1 subject with a difference.");
  });

  test("as data", () => {
    const { results: told } = JSON.parse(randomJson({ kernel: "6.1", seed: 7, results: random }));
    expect(told).toEqual([
      { subject: "a.pages", sequences: 3, explained: ["6.1", "6.1"], status: "agree" },
      { subject: "b.pages", sequences: 2, explained: [], status: "disagree", steps: [step], ...difference },
    ]);
  });
});
