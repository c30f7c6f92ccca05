import { describe, expect, it } from "vitest";
import { conformanceDocument } from "#src/report/document";
import { asJUnit } from "#src/report/junit";
import { asMarkdown } from "#src/report/markdown";
import { matrixOf } from "#src/report/matrix";
import type { LawResult } from "#src/run/results";
import { selectLaws } from "#src/run/run-laws";

function result(change: Partial<LawResult>): LawResult {
  return {
    strategy: "mine",
    geometry: "x86-64",
    accessor: "cpu",
    law: "LK-02",
    status: "pass",
    reason: "",
    explored: "",
    ...change,
  };
}

const reason = 'a <b> & "c"\nthe second | line \u0001 of *it*';
const document = conformanceDocument(selectLaws(["LK-02", "LK-06"]), [
  result({}),
  result({ geometry: "i386", status: "fail", reason }),
  result({ law: "LK-06", status: "skip", reason: "the object has no holes" }),
  result({ law: "LK-06", geometry: "i386", status: "skip", reason: "the object has no holes" }),
]);

describe("the views of results", () => {
  it("JUnit XML MUST escape what XML cannot hold, and count a suite by what is in it", () => {
    const xml = asJUnit(document);
    expect(xml).toContain('<testsuite name="mine on i386" tests="2" failures="1" errors="0" skipped="1">');
    expect(xml).toContain('<failure message="a &lt;b&gt; &amp; &quot;c&quot;">a &lt;b&gt; &amp; "c"\n');
    expect(xml).toContain('<skipped message="the object has no holes"/>');
    expect(xml).not.toContain("\u0001");
    const opened = [...xml.matchAll(/<(testsuites?|testcase|failure)\b[^>]*[^/]>/g)].length;
    expect([...xml.matchAll(/<\/(testsuites?|testcase|failure)>/g)]).toHaveLength(opened);
  });

  it("a matrix MUST show a law that is broken on one geometry as broken", () => {
    const { cell } = matrixOf(document);
    expect(cell("LK-02", "mine")).toMatchObject({ status: "fail", brokenOn: ["i386"], reason });
    expect(cell("LK-06", "mine")).toMatchObject({ status: "skip", brokenOn: [] });
  });

  it("Markdown MUST keep a line for each law, whatever the reasons contain", () => {
    const markdown = asMarkdown(document);
    const rows = markdown.split("\n").filter((line) => line.startsWith("| LK-"));
    expect(
      rows.map((row) =>
        row
          .split(/(?<!\\)\|/)
          .at(-2)
          ?.trim(),
      ),
    ).toEqual(["**✗**", "–"]);
    expect(markdown).toContain('- **LK-02** on mine, i386: a &lt;b&gt; &amp; "c" the second | line');
  });
});
