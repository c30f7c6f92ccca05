import { type Chooser, type MachineOptions, randomChooser } from "@nopage/core";
import { expect, it } from "vitest";
import { type RacyProgram, racyProgramsOf } from "#src/explore/racy-programs";
import { searchedMachine } from "#src/explore/searched-machine";
import { allLaws } from "#src/laws/all-laws";
import { ModelWorld } from "#src/model/model-world";
import { plainPages } from "#src/model/plain-pages";
import { plainPins } from "#src/model/plain-pins";

const geometry = "x86-64";

/** What a world did under a random schedule, to the byte. */
function traces(
  { lawCase, contender }: RacyProgram,
  options: MachineOptions,
  scrapped?: ModelWorld,
): { readonly world: ModelWorld; readonly traces: unknown } {
  const chooser = randomChooser(1);
  const world = new ModelWorld(contender, { eventLog: "on", chooser, ...options }, scrapped);
  const { problems, steps } = world.run(lawCase);
  const { log, sched, violations } = world.machine;
  const kinds = violations.list.map(({ kind }) => kind);
  return { world, traces: { problems, steps, kinds, log: log.bytes(), choices: sched.choices } };
}

/** A world of which the run was left in the middle, as a search leaves one that is worth nothing. */
function abandoned(
  { lawCase, contender }: RacyProgram,
  options: MachineOptions,
  after: ModelWorld,
): ModelWorld {
  const left = Symbol("left");
  const random = randomChooser(2);
  let choices = 0;
  const chooser: Chooser = {
    name: "leaving",
    interleaves: true,
    choose(enabled, last) {
      if (++choices > 40) throw left;
      return random.choose(enabled, last);
    },
  };
  const world = new ModelWorld(contender, { chooser, reports: "brief", ...options }, after);
  try {
    world.run(lawCase);
  } catch (thrown) {
    if (thrown !== left) throw thrown;
  }
  return world;
}

it.each([plainPages, plainPins])(
  "a racy program MUST run on a scrapped world's memory as on a new one, event for event: $name",
  (plugin) => {
    let scrapped: ModelWorld | undefined;
    const programs = racyProgramsOf(allLaws, plugin, geometry);
    for (const program of programs) {
      const options = searchedMachine(program.lawCase, geometry);
      const fresh = traces(program, options);
      const again = traces(program, options, scrapped);
      expect(again.traces, `${program.law} ${program.lawCase.when}`).toEqual(fresh.traces);
      scrapped = abandoned(program, options, again.world);
    }
    expect(programs.length).toBeGreaterThan(0);
  },
);
