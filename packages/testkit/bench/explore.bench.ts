import { setFlagsFromString } from "node:v8";
import { exploreLaw } from "#src/explore/explore-law";
import { exploreProgram } from "#src/explore/program/explore-program";
import type { PlainProgram, PlainThread, SharedVariable } from "#src/explore/program/plain-program";
import { replayLaw, settingOf } from "#src/explore/replay-law";
import type { LawCase } from "#src/laws/law";
import { contendersOf } from "#src/model/contender";
import { plainPages } from "#src/model/plain-pages";
import { succeed } from "#src/program/expect";
import type { Steps } from "#src/program/operation";
import { user } from "#src/program/user";
import { cpuSeconds, median } from "./support/measure.ts";
import { type Bar, report } from "./support/report.ts";

// Executions a second and core: of small plain programs, which show what the search itself costs, and of laws, of which
// every execution builds a machine. Each measurement explores the program again and again, from nothing, with the engine
// told what the command `nopage` tells it.

setFlagsFromString("--no-allocation-site-pretenuring");

const ROUNDS = 15;
/** Until the JavaScript engine has compiled what a machine needs. */
const WARM_UP = 20;
const ROUND_SECONDS = 0.1;

/** @param explore explores once to the end; the number of executions */
function measured(what: string, least: number, explore: () => number): Bar {
  const rates: number[] = [];
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    let executions = 0;
    let seconds = 0;
    while (seconds < ROUND_SECONDS) {
      seconds += cpuSeconds(() => {
        const enough = executions + 200;
        while (executions < enough) executions += explore();
      });
    }
    if (round >= 0) rates.push(executions / seconds);
  }
  return { what, measured: median(rates), best: Math.max(...rates), unit: "executions/s", least };
}

// The threads are functions of the module: a generator function that is made anew for each run costs the JavaScript engine
// more than the run.

function* storeThenLoad(
  store: SharedVariable<number>,
  load: SharedVariable<number>,
  seen: number[],
  at: number,
): PlainThread {
  yield* store.write(1);
  seen[at] = yield* load.read();
}

function* storeBoth(one: SharedVariable<number>, other: SharedVariable<number>): PlainThread {
  yield* one.write(1);
  yield* other.write(1);
}

function* loadBoth(
  one: SharedVariable<number>,
  other: SharedVariable<number>,
  seen: number[],
  at: number,
): PlainThread {
  seen[at] = yield* one.read();
  seen[at + 1] = yield* other.read();
}

function* load(from: SharedVariable<number>, seen: number[], at: number): PlainThread {
  seen[at] = yield* from.read();
}

function* increment(one: SharedVariable<number>, other: SharedVariable<number>): PlainThread {
  yield* one.update(next);
  yield* other.update(next);
}

const next = (before: number): number => before + 1;

const storeBuffer: PlainProgram = ({ variable, thread }) => {
  const [x, y] = [variable(0), variable(0)];
  const seen = [-1, -1];
  thread(() => storeThenLoad(x, y, seen, 0));
  thread(() => storeThenLoad(y, x, seen, 1));
  return () => seen;
};

const messagePassing: PlainProgram = ({ variable, thread }) => {
  const [x, y] = [variable(0), variable(0)];
  const seen = [-1, -1];
  thread(() => storeBoth(x, y));
  thread(() => loadBoth(y, x, seen, 0));
  return () => seen;
};

const independentReads: PlainProgram = ({ variable, thread }) => {
  const [x, y] = [variable(0), variable(0)];
  const seen = [-1, -1, -1, -1];
  thread(() => x.write(1));
  thread(() => y.write(1));
  thread(() => loadBoth(x, y, seen, 0));
  thread(() => loadBoth(y, x, seen, 2));
  return () => seen;
};

const readers: PlainProgram = ({ variable, thread }) => {
  const x = variable(0);
  const seen: number[] = [];
  thread(() => x.write(1));
  for (let reader = 0; reader < 8; reader++) thread(() => load(x, seen, reader));
  return () => seen;
};

const increments: PlainProgram = ({ variable, thread }) => {
  const [x, y] = [variable(0), variable(0)];
  for (let count = 0; count < 4; count++) thread(() => increment(x, y));
  return () => [x.value, y.value];
};

function* touch(address: number): Steps<void> {
  yield* user.load(address);
}

/** Two threads load from a page that the first has touched, while it stores there; each has a CPU. */
const threeThreads: LawCase = {
  when: "",
  schedule: "racy",
  machine: { cpus: 3 },
  *program({ subject }) {
    const address = yield* succeed("mmap", subject.map());
    yield* user.store(address, 1);
    for (const name of ["one", "other"]) {
      yield* user.thread(() => touch(address), name);
    }
    yield* user.store(address, 2);
  },
};

const [contender] = contendersOf(plainPages);
const { steps } = replayLaw(settingOf(threeThreads, contender, "x86-64"), []);
const ofPlain = (program: PlainProgram) => () => exploreProgram(program).executions;
report([
  measured("SB, 3 executions", 200_000, ofPlain(storeBuffer)),
  measured("MP, 3 executions", 200_000, ofPlain(messagePassing)),
  measured("IRIW, 15 executions", 200_000, ofPlain(independentReads)),
  measured("readers(8), 256 executions", 200_000, ofPlain(readers)),
  measured("binc(4), 576 executions", 200_000, ofPlain(increments)),
  measured(`a law of three threads, ${steps.length} steps, on the full machine`, 20_000, () => {
    const { executions } = exploreLaw(threeThreads, contender, "x86-64", { maxExecutions: 200 });
    return executions;
  }),
]);
