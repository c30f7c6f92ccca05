// Every line of the fixtures that carries a `report:` mark must be reported under the names in the mark, no other line may be.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { checkFixtures, checkGenerators } from "../src/generators.mjs";

const fixtures = join(dirname(dirname(fileURLToPath(import.meta.url))), "fixtures");

function expected(file) {
  const lines = readFileSync(join(fixtures, file), "utf8").split("\n");
  return lines.flatMap((line, index) => {
    const mark = /\/\/ report: (.+)$/.exec(line);
    return mark === null ? [] : mark[1].split(" ").map((name) => `${file}:${index + 1} ${name}`);
  });
}

export function selfTestGenerators() {
  const { problems, program, files } = checkFixtures(fixtures);
  const errors = ts.getPreEmitDiagnostics(program).map((one) => {
    const line = one.file?.getLineAndCharacterOfPosition(one.start ?? 0).line;
    return `${one.file?.fileName}:${line === undefined ? "" : line + 1} ${ts.flattenDiagnosticMessageText(one.messageText, " ")}`;
  });
  assert.deepEqual(errors, [], "the fixtures must compile: the check is for what TypeScript accepts");

  const reported = problems.map((problem) => problem.replace(/^(\S+?:\d+):\d+ (\S+?):? .*$/, "$1 $2")).sort();
  const planted = files.flatMap(expected).sort();
  assert.ok(planted.length > 50, `only ${planted.length} planted mistakes were found`);
  assert.deepEqual(reported, planted, "reported and planted differ");

  const { problems: nothing } = checkGenerators(join(fixtures, "nowhere"));
  assert.equal(nothing.length, 1, "looking at no file must fail");
  return planted.length;
}
