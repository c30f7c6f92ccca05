// Puts the real output of the commands that the README shows back into it. A test holds the two together.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const path = join(root, "README.md");
const marker = /<!-- output of: nopage (.*?)(, which exits with \d)? -->\n```\n.*?```/gs;

const refreshed = readFileSync(path, "utf8").replace(marker, (_, words, exit = "") => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "packages/cli/dist/bin.js"), ...words.split(" ")],
    { cwd: root, encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } },
  );
  if (status !== Number(exit.at(-1) ?? 0)) throw new Error(`nopage ${words} ended with ${status}: ${stderr}`);
  return `<!-- output of: nopage ${words}${exit} -->\n\`\`\`\n${stdout.trim()}\n\`\`\``;
});
writeFileSync(path, refreshed);
