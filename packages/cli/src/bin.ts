#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { main } from "./command/main.ts";
import { processOutput } from "./command/output.ts";
import { expectShortLives } from "./engine.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

// Who reads only the beginning of the output closes the pipe; that is no mistake of ours.
process.stdout.on("error", (failure: NodeJS.ErrnoException) => {
  if (failure.code !== "EPIPE") throw failure;
});

expectShortLives();
process.exitCode = await main(process.argv.slice(2), version, processOutput());
