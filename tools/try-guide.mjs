// Follows a guide as a new user would, outside the clone: node tools/try-guide.mjs docs/author-a-strategy.md
// The commands, the edits and what must be printed are those of the document. The last line is the tally.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const guide = resolve(process.argv[2] ?? join(root, "docs/author-a-strategy.md"));
const SECONDS_FOR_ALL = 480;

/** The fenced blocks of a document, in order: commands, edits of a file, and text that the command before prints. */
function readBlocks(markdown) {
  const blocks = [...markdown.matchAll(/^```(\w+)(?: ([^\n]*))?\n(.*?)^```$/gms)].map(
    ([, kind, more, body]) => ({
      kind,
      more: more ?? "",
      lines: body.split("\n").filter((line) => line.trim() !== ""),
    }),
  );
  for (const { kind, more } of blocks) {
    const isKnown =
      (kind === "sh" && ["", "fails"].includes(more)) ||
      (kind === "diff" && more !== "") ||
      (kind === "text" && more === "");
    if (!isKnown)
      throw new Error(`a block of "${kind} ${more}"; expected "sh", "sh fails", "diff FILE" or "text"`);
  }
  return blocks;
}

/** Runs a block of commands where the one before has ended, with the variables that it has exported. */
async function runCommands({ lines, more }, state) {
  const end = 'trap \'pwd > "$state/folder"; export -p > "$state/exports"\' EXIT';
  const script = [end, '. "$state/exports"', 'cd "$(cat "$state/folder")"', "set -e", ...lines].join("\n");
  const { output, status } = await runScript(script, state);
  const isRight = more === "fails" ? status > 0 : status === 0;
  if (isRight) return { output, problem: undefined };
  const ought = more === "fails" ? "must fail" : "must end with 0";
  return { output, problem: `ends with ${status}, and ${ought}:\n${output}` };
}

/** Whoever takes too long is killed with all that it has started. */
function runScript(script, state) {
  const options = {
    env: { ...process.env, ...state.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  };
  const child = spawn("bash", ["-c", script], options);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text) => {
      output += text;
    });
  }
  return new Promise((done) => {
    let late = "";
    const kill = (why) => {
      late = why;
      process.kill(-child.pid, "SIGKILL");
    };
    const interrupt = () => kill("interrupted");
    process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
    const timer = setTimeout(() => kill("too late"), Math.max(1, state.deadline - Date.now()));
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
      const status = late || (code ?? signal);
      done({ output: stripVTControlCharacters(output), status });
    });
  });
}

/** Carries an edit out: each run of lines with a minus is found once, and the lines with a plus take its place. */
function applyEdit({ more: file, lines }, folder) {
  const path = join(folder, file);
  let text = readFileSync(path, "utf8");
  for (const [hunk] of `${lines.join("\n")}\n`.matchAll(/(?:^-.*\n)+(?:^\+.*\n)*/gm)) {
    const side = (sign) =>
      hunk
        .split("\n")
        .filter((line) => line.startsWith(sign))
        .map((line) => `${line.slice(1)}\n`)
        .join("");
    const before = side("-");
    const parts = text.split(before);
    if (parts.length !== 2)
      return `${file} has these lines ${parts.length - 1} times, and must have them once:\n${before}`;
    text = parts.join(side("+"));
  }
  writeFileSync(path, text);
  return undefined;
}

async function tryGuide(blocks, state) {
  const tally = { passed: 0, failed: 0 };
  const judge = (what, problem, from) => {
    tally[problem === undefined ? "passed" : "failed"] += 1;
    const seconds = ((Date.now() - from) / 1000).toFixed(1);
    console.log(`${problem === undefined ? "ok    " : "FAILED"} ${what} (${seconds} s)`);
    if (problem !== undefined) console.log(problem.replace(/^/gm, "       "));
    return problem === undefined;
  };
  let output = "";
  for (const block of blocks) {
    const from = Date.now();
    if (block.kind === "sh") {
      const ran = await runCommands(block, state);
      output = ran.output;
      // What comes after builds on it.
      if (!judge(block.lines.join("; "), ran.problem, from)) break;
    } else if (block.kind === "diff") {
      const folder = readFileSync(join(state.env.state, "folder"), "utf8").trim();
      if (!judge(`edit ${block.more}`, applyEdit(block, folder), from)) break;
    } else {
      const missing = block.lines.filter((line) => !output.includes(line.trim()));
      const problem = `not printed:\n${missing.join("\n")}\nbut:\n${output}`;
      judge(`prints ${block.lines[0].trim()}`, missing.length === 0 ? undefined : problem, from);
    }
  }
  return tally;
}

const folder = mkdtempSync(join(realpathSync(tmpdir()), "nopage-guide-"));
const state = join(folder, "state");
mkdirSync(state);
writeFileSync(join(state, "exports"), "");
writeFileSync(join(state, "folder"), `${root}\n`);
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

// What is installed comes from npm's cache where it is there, and nobody waits for advice.
const quiet = { npm_config_prefer_offline: "true", npm_config_audit: "false", npm_config_fund: "false" };
const env = { ...quiet, NO_COLOR: "1", TMPDIR: folder, state };
const blocks = readBlocks(readFileSync(guide, "utf8"));
const { passed, failed } = await tryGuide(blocks, { env, deadline: Date.now() + SECONDS_FOR_ALL * 1000 });
console.log(`${passed} passed, ${failed} failed, ${blocks.length - passed - failed} skipped`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
