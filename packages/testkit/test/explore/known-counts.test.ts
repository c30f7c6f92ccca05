import { describe, expect, it } from "vitest";
import { exploreProgram } from "#src/explore/program/explore-program";
import type { PlainProgram } from "#src/explore/program/plain-program";
import * as programs from "./benchmarks.ts";

const known: readonly (readonly [string, PlainProgram, number])[] = [
  ["SB", programs.storeBuffer, 3],
  ["MP", programs.messagePassing, 3],
  ["IRIW", programs.independentReads, 15],
  ["deadlock", programs.deadlock, 3],
  ["readers(8)", programs.readers(8), 256],
  ["readers(13)", programs.readers(13), 8192],
  ["lastzero(3)", programs.lastZero(3), 12],
  ["lastzero(5)", programs.lastZero(5), 64],
  ["lastzero(10)", programs.lastZero(10), 3328],
  ["indexer(11)", programs.indexer(11), 1],
  ["indexer(12)", programs.indexer(12), 8],
  ["indexer(13)", programs.indexer(13), 64],
  ["filesystem(14)", programs.fileSystem(14), 2],
  ["filesystem(16)", programs.fileSystem(16), 8],
  ["filesystem(18)", programs.fileSystem(18), 32],
  ["filesystem(19)", programs.fileSystem(19), 64],
  ["ainc(7)", programs.increments(7, 1), 5040],
  ["binc(4)", programs.increments(4, 2), 576],
  ["casrot(5)", programs.casRotation(5), 43],
  ["casrot(8)", programs.casRotation(8), 2048],
  ["lockinc(7)", programs.lockedIncrements(7), 5040],
  ["commuting increments", programs.counting(7), 1],
];

describe.each(known)("%s", (_name, program, count) => {
  it(`has ${count} traces, each run once, and none given up`, () => {
    const { executions, abandoned, complete } = exploreProgram(program);
    expect({ executions, abandoned, complete }).toEqual({ executions: count, abandoned: 0, complete: true });
  });

  it("has as many in the search with source sets", () => {
    const { executions, complete } = exploreProgram(program, { algorithm: "source" });
    expect({ executions, complete }).toEqual({ executions: count, complete: true });
  });
});
