import { exploreLaw } from "#src/explore/explore-law";
import { exploreProgram } from "#src/explore/program/explore-program";
import type { PlainProgram } from "#src/explore/program/plain-program";
import type { LawCase } from "#src/laws/law";
import { contendersOf } from "#src/model/contender";
import { plainPages } from "#src/model/plain-pages";
import { succeed } from "#src/program/expect";
import { user } from "#src/program/user";
import { cpuSeconds, median } from "./support/measure.ts";
import { type Bar, report } from "./support/report.ts";

// Executions a second and core: of small plain programs, which show what the search itself costs, and of laws, of which
// every execution builds a machine. Each measurement explores the program again and again, from nothing.

const ROUNDS = 15;
const WARM_UP = 5;
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

const storeBuffer: PlainProgram = ({ variable, thread }) => {
  const [x, y] = [variable(0), variable(0)];
  const seen = [-1, -1];
  thread(function* () {
    yield* x.write(1);
    seen[0] = yield* y.read();
  });
  thread(function* () {
    yield* y.write(1);
    seen[1] = yield* x.read();
  });
  return () => seen;
};

const messagePassing: PlainProgram = ({ variable, thread }) => {
  const [x, y] = [variable(0), variable(0)];
  const seen: number[] = [];
  thread(function* () {
    yield* x.write(1);
    yield* y.write(1);
  });
  thread(function* () {
    seen.push(yield* y.read());
    seen.push(yield* x.read());
  });
  return () => seen;
};

const independentReads: PlainProgram = ({ variable, thread }) => {
  const [x, y] = [variable(0), variable(0)];
  const seen = [-1, -1, -1, -1];
  for (const one of [x, y]) thread(() => one.write(1));
  for (const [first, second, at] of [
    [x, y, 0],
    [y, x, 2],
  ] as const) {
    thread(function* () {
      seen[at] = yield* first.read();
      seen[at + 1] = yield* second.read();
    });
  }
  return () => seen;
};

const readers: PlainProgram = ({ variable, thread }) => {
  const x = variable(0);
  const seen: number[] = [];
  thread(() => x.write(1));
  for (let reader = 0; reader < 8; reader++) {
    thread(function* () {
      seen[reader] = yield* x.read();
    });
  }
  return () => seen;
};

const increments: PlainProgram = ({ variable, thread }) => {
  const variables = [variable(0), variable(0)];
  for (let count = 0; count < 4; count++) {
    thread(function* () {
      for (const one of variables) yield* one.update((before) => before + 1);
    });
  }
  return () => variables.map(({ value }) => value);
};

/** Two threads load from a page that the first has touched, while it stores there. */
const threeThreads: LawCase = {
  when: "",
  schedule: "racy",
  *program({ subject }) {
    const address = yield* succeed("mmap", subject.map());
    yield* user.store(address, 1);
    for (const name of ["one", "other"]) {
      yield* user.thread(function* () {
        yield* user.load(address);
      }, name);
    }
    yield* user.store(address, 2);
  },
};

const [contender] = contendersOf(plainPages);
const ofPlain = (program: PlainProgram) => () => exploreProgram(program).executions;
report([
  measured("SB, 3 executions", 200_000, ofPlain(storeBuffer)),
  measured("MP, 3 executions", 200_000, ofPlain(messagePassing)),
  measured("IRIW, 15 executions", 200_000, ofPlain(independentReads)),
  measured("readers(8), 256 executions", 200_000, ofPlain(readers)),
  measured("binc(4), 576 executions", 200_000, ofPlain(increments)),
  measured("a law of three threads, executions on the full machine", 20_000, () => {
    const { executions } = exploreLaw(threeThreads, contender, "x86-64", { maxExecutions: 200 });
    return executions;
  }),
]);
