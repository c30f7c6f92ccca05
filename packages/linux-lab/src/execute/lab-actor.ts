import type { ExitStatus, SignalName } from "@nopage/core";
import type { Actor, Steps } from "@nopage/testkit/executor";
import type { AgentState } from "../guest/guest.ts";

/** A process of a program under test. */
export class LabProcess {
  readonly actors: LabActor[] = [];
  /** Signals that it counts instead of dying of them. */
  readonly counted = new Set<SignalName>();
  /** How it ended; undefined while it is there. */
  exit: ExitStatus | undefined = undefined;
}

/** What an actor is at. */
export type Doing =
  /** Its program goes on with this answer. */
  | { readonly what: "ready"; readonly answer: unknown }
  /** The guest does an operation for it. */
  | { readonly what: "asked"; readonly operation: string }
  | { readonly what: "sleeping"; readonly until: number; readonly answer: unknown }
  | { readonly what: "joining"; readonly other: LabActor }
  /** The executor asks the guest about something for it. */
  | { readonly what: "looking" }
  /** Its program is over; its thread or process is on its way out. */
  | { readonly what: "leaving" }
  | { readonly what: "ended" };

/** A thread of a program under test, with the program that it runs. */
export class LabActor implements Actor {
  readonly name: string;
  /** Its number in the guest. */
  readonly index: number;
  readonly process: LabProcess;
  /** Whether it began its process, so that its end is that of the process. */
  readonly isFirst: boolean;
  readonly steps: Steps<void>;
  doing: Doing = { what: "ready", answer: undefined };
  /** How the guest saw it when it was looked at last, while it was asked for the same. */
  seen: AgentState | undefined = undefined;
  /** Whether it stood still in the kernel for as long as was looked. */
  isBlocked = false;

  constructor(name: string, index: number, process: LabProcess, steps: Steps<void>) {
    this.name = name;
    this.index = index;
    this.isFirst = process.actors.length === 0;
    this.process = process;
    this.steps = steps;
    process.actors.push(this);
  }

  /** Whether nobody has to wait for it any more. */
  get hasEnded(): boolean {
    return this.isFirst ? this.process.exit !== undefined : this.doing.what === "ended";
  }

  /** What it is at from now on. */
  begin(doing: Doing): void {
    this.doing = doing;
    this.seen = undefined;
    this.isBlocked = false;
  }
}

/** Whether an actor will do something by itself, without anybody waking it. */
export function isAtWork({ doing, isBlocked, process }: LabActor): boolean {
  if (doing.what === "asked") return !isBlocked;
  if (doing.what !== "leaving") return doing.what === "ready" || doing.what === "looking";
  // A process goes when all of its threads have: one of many that leaves is not waited for.
  const isLast = process.actors.every(({ doing: { what } }) => what === "leaving" || what === "ended");
  return isLast && process.exit === undefined;
}

/** Whether news of an actor may come from the guest. */
export function isPending({ doing, process }: LabActor): boolean {
  if (doing.what === "leaving") return process.exit === undefined;
  return doing.what === "asked" || doing.what === "looking";
}

/** Whether an actor sleeps at the same place as before and has not been on a CPU since. */
export function isStandingStill(before: AgentState | undefined, after: AgentState | undefined): boolean {
  return (
    before?.state === "sleeping" &&
    after?.state === "sleeping" &&
    before.switches === after.switches &&
    before.place === after.place
  );
}

/** What an actor is at, as reports of a run that does not go on have it. */
export function inWords({ name, doing, seen }: LabActor): string {
  switch (doing.what) {
    case "asked": {
      const state = seen === undefined ? "not looked at" : `${seen.state}, ${seen.place}`;
      return `${name} does "${doing.operation}" (${state})`;
    }
    case "joining":
      return `${name} waits for the end of ${doing.other.name}`;
    case "leaving":
      return `${name} has not gone`;
    default:
      return `${name} is ${doing.what}`;
  }
}
