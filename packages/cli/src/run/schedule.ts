import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import {
  type Chooser,
  type RecordingChooser,
  type ReplayChooser,
  randomChooser,
  recordingChooser,
  replayChooser,
  runToBlock,
} from "@nopage/core";
import type { Problem, WorldSettings } from "@nopage/core/wiring";
import type { Signal } from "@nopage/device-highway";
import type { ChooserConfig } from "../config/config.ts";
import {
  differences,
  type Recorded,
  type Recording,
  readRecording,
  whatIsRun,
  writeRecording,
} from "./recording.ts";

/** Which order a run takes, and where that is kept. */
export interface ScheduleRequest {
  readonly chooser: ChooserConfig;
  /** The file that the order is to be written to, as the flag has it. */
  readonly record: string | undefined;
  readonly directory: string;
  readonly runs: readonly WorldSettings[];
}

/**
 * Who runs next in one or more runs: makes the chooser of each, holds a replay to what was recorded, and writes what is
 * to be recorded.
 */
export class Schedule {
  /** Why it cannot be had. */
  readonly problems: readonly Problem[];
  readonly #request: ScheduleRequest;
  readonly #recording: Recording | undefined;
  #replaying: ReplayChooser | undefined = undefined;
  #recorder: RecordingChooser | undefined = undefined;

  constructor(request: ScheduleRequest) {
    const { chooser, record, runs } = request;
    const problems: Problem[] = [];
    this.#request = request;
    const replay = replayOf(chooser);
    if (replay !== undefined) {
      const found = readRecording(replay);
      if ("choices" in found) this.#recording = found;
      else problems.push({ path: "chooser.replay", ...found });
    }
    if (record !== undefined) problems.push(...this.#checkRecord(record));
    if ((replay !== undefined || record !== undefined) && runs.length > 1) {
      const expected = `one run, whose order can be ${replay === undefined ? "recorded" : "replayed"}, but these are ${runs.length}; name one with --strategy and --pinning`;
      problems.push({ path: "--all", value: true, expected, nearest: undefined });
    }
    this.problems = problems;
  }

  /** In what a run differs from the recording that it is to repeat. */
  compare(now: Recorded): readonly Problem[] {
    return this.#recording === undefined ? [] : differences(now, this.#recording.of);
  }

  /** A new chooser for each run: one that goes on from where it was would make the order of the runs count. */
  newChooser(): Chooser {
    const { chooser, record } = this.#request;
    if (this.#recording !== undefined) this.#replaying = replayChooser(this.#recording.choices);
    const inner = this.#replaying ?? plainChooser(chooser);
    if (record === undefined) return inner;
    this.#recorder = recordingChooser(inner);
    return this.#recorder;
  }

  /**
   * To be called after the run.
   *
   * @throws ReplayMismatch when it ended before the recording does
   */
  finish(ran: () => Recorded): void {
    this.#replaying?.finish();
    const { directory, record } = this.#request;
    if (this.#recorder === undefined || record === undefined) return;
    writeRecording(resolve(directory, record), { of: ran(), choices: this.#recorder.recorded });
  }

  #checkRecord(record: string): readonly Problem[] {
    const problem = (expected: string): Problem => {
      return { path: "--record", value: record, expected, nearest: undefined };
    };
    const problems: Problem[] = [];
    if (this.#request.chooser === "run-to-block") {
      problems.push(
        problem(
          "an order of tasks to record, which only --seed N makes: without it each task runs until it sleeps",
        ),
      );
    }
    const path = resolve(this.#request.directory, record);
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
      problems.push(problem("the name of a file, but it is a folder"));
    } else if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true) {
      problems.push(problem(`a file in a folder that is there, but there is no folder ${dirname(path)}`));
    }
    return problems;
  }
}

/** In what the one run differs from the recording that it is to repeat. */
export function compareRuns(
  schedule: Schedule,
  runs: readonly WorldSettings[],
  signal: Signal,
  event: string,
): readonly Problem[] {
  return runs.length === 1 ? schedule.compare(whatIsRun(settingsOf(runs), signal, event)) : [];
}

/** The settings of the first run, which is the only one when an order is recorded or replayed. */
export function settingsOf([first]: readonly WorldSettings[]): WorldSettings {
  if (first === undefined) throw new Error("there is no run");
  return first;
}

function replayOf(chooser: ChooserConfig): string | undefined {
  return typeof chooser === "object" && "replay" in chooser ? chooser.replay : undefined;
}

function plainChooser(chooser: ChooserConfig): Chooser {
  return typeof chooser === "object" && "random" in chooser ? randomChooser(chooser.random) : runToBlock;
}
