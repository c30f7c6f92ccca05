import { lazyNopage } from "@nopage/lazy-nopage";
import { notifierMirror } from "@nopage/notifier-mirror";
import { describe, expect, it } from "vitest";
import { exploreLaw } from "#src/explore/explore-law";
import { racyProgramsOf } from "#src/explore/racy-programs";
import { selectLaws } from "#src/run/run-laws";

describe("the optimal search of programs whose processes fork, end or are killed", () => {
  // What is looked at when a run is over is no part of its last step, or the search takes it for a race.
  it.each([
    ["LC-03", lazyNopage, "while somebody walks the reverse map"],
    ["QU-05", lazyNopage, "SIGKILL at any moment"],
    ["MN-17", notifierMirror, "a device, its process's end and a file that shrinks"],
  ])("MUST give up none of %s", (id, plugin, when) => {
    const programs = racyProgramsOf(selectLaws([id]), plugin, "x86-64").filter(
      ({ lawCase }) => lawCase.when === when,
    );
    const [program] = programs;
    if (program === undefined) throw new Error(`${id} has no racy program "${when}"`);
    const found = exploreLaw(program.lawCase, program.contender, "x86-64");
    expect(found).toMatchObject({ abandoned: 0, complete: true, counterexamples: [] });
  });
});
