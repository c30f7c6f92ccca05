import { isTrap, VM_READ, VM_WRITE } from "@nopage/core";
import type { LawCase, Stage } from "#src/laws/law";
import type { Actor, Steps } from "#src/program/operation";
import { user } from "#src/program/user";

const RW = VM_READ | VM_WRITE;
/** Where the programs map: a page of anonymous memory, and two of the device behind it. */
const MEMORY = 0x100_0000;

/** What the threads of a program have in common. */
interface Common {
  readonly stage: Stage;
  readonly page: number;
  /** By thread, what its operations answered. */
  readonly answers: string[][];
  /** The threads that can be sent signals. */
  readonly actors: Actor[];
}

type Act = (common: Common, own: string[], random: () => number) => Steps<unknown>;

function* open(path: string): Steps<number> {
  return yield* user.open({ path, mode: "read-write", blocking: "blocking" });
}

/** What a thread can do, by name. Descriptor 0 is the device's, and 1 another one's. */
const acts: Readonly<Record<string, Act>> = {
  open: () => open("/dev/null"),
  "close 0": () => user.close(0),
  "close 1": () => user.close(1),
  "close 2": () => user.close(2),
  "ioctl on 1": () => user.ioctl(1, 0),
  memfd: () => user.memfd("another"),
  load: ({ page }) => user.load(MEMORY + page),
  "load of memory": () => user.load(MEMORY),
  store: ({ page }, _own, random) => user.store(MEMORY + page, 100 + Math.floor(random() * 9)),
  "store to memory": (_common, _own, random) => user.store(MEMORY, 100 + Math.floor(random() * 9)),
  munmap: ({ page }) => user.munmap(MEMORY + page, page),
  "mmap of the device": ({ page }) =>
    user.mmap({
      address: MEMORY + page,
      length: page,
      protection: RW,
      sharing: "shared",
      pgoff: 0,
      descriptor: 0,
      placement: "fixed",
    }),
  "mmap of memory": ({ page }) =>
    user.mmap({ address: MEMORY, length: page, protection: RW, sharing: "private", placement: "fixed" }),
  peek: ({ stage }) => stage.subject.peek?.(0) ?? nothing(),
  poke: ({ stage }, _own, random) => stage.subject.poke?.(0, 200 + Math.floor(random() * 9)) ?? nothing(),
  kill: ({ actors }) => kill(actors, "SIGUSR1"),
  "kill for good": ({ actors }) => kill(actors, "SIGKILL"),
  "signals taken": () => user.signalsTaken("SIGUSR1"),
  "memory status": () => user.memoryStatus(),
  mincore: ({ page }) => user.mincore(MEMORY, 2 * page),
  pagemap: () => user.pagemap(MEMORY, 2),
  nanosleep: () => user.sleep(100),
  exit: () => user.exit(3),
  fork: (_common, own) => fork(own, load),
  "fork of one that opens": (_common, own) => fork(own, () => open("/dev/null")),
};

/** All that a thread can do but fork, after which too many orders are left to be explored within a test. */
const shortActs = Object.keys(acts).filter((name) => !name.startsWith("fork"));

function* load(): Steps<unknown> {
  return yield* user.load(MEMORY);
}

function* nothing(): Steps<undefined> {
  return undefined;
}

function* kill(actors: readonly Actor[], signal: "SIGUSR1" | "SIGKILL"): Steps<undefined> {
  const [actor] = actors;
  if (actor !== undefined) yield* user.kill(actor, signal);
}

function* fork(own: string[], body: () => Steps<unknown>): Steps<string> {
  // A place of its own: whether the child or its parent comes to its end first is nobody's business here.
  const place = own.push("child") - 1;
  const child = yield* user.fork(function* () {
    own[place] = `child: ${inWords(yield* body())}`;
  });
  return typeof child === "number" ? `fork: ${child}` : "fork";
}

function inWords(answer: unknown): string {
  return isTrap(answer as never) ? "trap" : JSON.stringify(answer ?? "done");
}

/** A program: by thread, the names of what it does. */
export interface SmallProgram {
  readonly seed: number;
  readonly threads: readonly (readonly string[])[];
}

/** A random program of so many threads, each of so many operations. */
export function smallProgram(seed: number, threads: number, length: number): SmallProgram {
  const random = randomFrom(seed);
  const thread = () =>
    Array.from({ length }, () => shortActs[Math.floor(random() * shortActs.length)] as string);
  return { seed, threads: Array.from({ length: threads }, thread) };
}

/** Numbers in [0, 1) from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The program as a case that a law run can run; what its operations answered is told at its end. */
export class Observed implements LawCase {
  readonly when = "";
  readonly schedule = "racy";
  answers: string[][] = [];
  readonly #program: SmallProgram;

  constructor(program: SmallProgram) {
    this.#program = program;
  }

  get program(): LawCase["program"] {
    return (stage) => this.#run(stage);
  }

  *#run(stage: Stage): Steps<void> {
    const { threads, seed } = this.#program;
    const page = stage.subject.pageSize;
    this.answers = threads.map(() => []);
    const common: Common = { stage, page, answers: this.answers, actors: [] };
    yield* stage.subject.open();
    yield* open("/dev/null");
    const length = page;
    yield* user.mmap({ address: MEMORY, length, protection: RW, sharing: "private", placement: "fixed" });
    yield* user.store(MEMORY, 1);
    yield* stage.subject.map({ first: 0, pages: 1, fixedAt: MEMORY + page, descriptor: 0 });
    yield* user.countSignal("SIGUSR1");
    const body = (index: number) =>
      perform(common, threads[index] ?? [], this.answers[index] ?? [], randomFrom(seed * 31 + index));
    for (let index = 1; index < threads.length; index++) {
      common.actors.push(yield* user.thread(() => body(index), `thread ${index}`));
    }
    yield* body(0);
  }
}

function* perform(
  common: Common,
  names: readonly string[],
  own: string[],
  random: () => number,
): Steps<void> {
  for (const name of names) own.push(`${name}: ${inWords(yield* (acts[name] as Act)(common, own, random))}`);
}
