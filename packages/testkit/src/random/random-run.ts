import { isError, type SmapsArea } from "@nopage/core";
import type { Stage } from "../laws/law.ts";
import { inWords } from "../program/expect.ts";
import type { Actor, Steps } from "../program/operation.ts";
import { user } from "../program/user.ts";
import type { SubjectMapping } from "../subject/subject.ts";
import {
  type RandomProgram,
  type RandomStep,
  type Range,
  WINDOW_PAGES,
  WINDOW_START,
} from "./random-step.ts";

/** Pages of the file that random programs map beside the object. */
const FILE_PAGES = 6;

/** `_IO('n', 0x7f)`: nobody's. */
const UNKNOWN_COMMAND = 0x6e7f;

/** Of the letters of VmFlags, those that say what a program asked for, and not how a kernel keeps its books. */
const ASKED_FOR = ["rd", "wr", "ex", "sh", "mr", "mw", "me", "ms", "pf", "io", "lo", "dc", "de", "dd"];

/** What one step came to. */
export interface StepOutcome {
  /** Which step, by where it stands: `2`, or `2.0` for the first of a child that step 2 forked. */
  readonly place: string;
  readonly step: RandomStep;
  /** A result, a trap or an errno in words; addresses are told by their place in the window. */
  readonly outcome: string;
}

/** A random program as user operations, whoever executes them, and what its steps came to. */
export class RandomRun {
  readonly outcomes: StepOutcome[] = [];
  /** The areas of the window at the end, in words, lowest first; of a program of one thread, which can say. */
  readonly areas: string[] = [];
  readonly #stage: Stage;
  #file = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** One thread's steps, and a look at what is mapped in the end. */
  *runSequential(steps: readonly RandomStep[]): Steps<void> {
    yield* this.#openFile();
    yield* this.#performAll(steps, "");
    for (const area of yield* user.smaps()) {
      if (area.end > WINDOW_START && area.start < this.#address(2 * WINDOW_PAGES)) {
        this.areas.push(this.#areaInWords(area));
      }
    }
  }

  /** All threads at the same time; ends when each of them has. */
  *runThreads({ threads }: RandomProgram): Steps<void> {
    yield* this.#openFile();
    const [own = [], ...others] = threads;
    const started: Actor[] = [];
    for (const [index, steps] of others.entries()) {
      const body = () => this.#performAll(steps, `thread ${index + 1}: `);
      started.push(yield* user.thread(body, `thread ${index + 1}`));
    }
    yield* this.#performAll(own, "");
    for (const thread of started) yield* user.join(thread);
  }

  *#openFile(): Steps<void> {
    this.#file = yield* user.memfd("file");
    yield* user.ftruncate(this.#file, FILE_PAGES * this.#stage.subject.pageSize);
  }

  *#performAll(steps: readonly RandomStep[], path: string): Steps<void> {
    const children: Actor[] = [];
    for (const [index, step] of steps.entries()) {
      const place = `${path}${index}`;
      const outcome =
        step.step === "fork" ? yield* this.#fork(step, place, children) : yield* this.#perform(step);
      this.outcomes.push({ place, step, outcome });
    }
    for (const child of children) yield* user.join(child);
  }

  *#fork(
    { steps, parent, end }: Extract<RandomStep, { step: "fork" }>,
    place: string,
    children: Actor[],
  ): Steps<string> {
    const run = this;
    const child = yield* user.fork(function* () {
      yield* run.#performAll(steps, `${place}.`);
      if (end === "exits") yield* user.exit(3);
    });
    if (typeof child === "number") return inWords(child);
    if (end === "is-killed") yield* user.kill(child, "SIGKILL");
    if (parent === "waits") return inWords(yield* user.join(child));
    children.push(child);
    return "started";
  }

  *#perform(step: Exclude<RandomStep, { step: "fork" }>): Steps<string> {
    const { subject } = this.#stage;
    switch (step.step) {
      case "map":
        return this.#placed(yield* this.#map(step));
      case "map-oddly": {
        const { length, placement } = step;
        const address = this.#address(step.at) + step.skew;
        const request = { address, length, placement, protection: 3, sharing: "private" } as const;
        return this.#placed(yield* user.mmap(request));
      }
      case "map-opened":
        return this.#placed(yield* this.#mapOpened(step));
      case "command":
        return inWords(yield* this.#command());
      case "unmap":
        return inWords(yield* user.munmap(...this.#bytes(step)));
      case "unmap-oddly":
        return inWords(yield* user.munmap(this.#address(step.at) + step.skew, step.length));
      case "protect":
        return inWords(yield* user.mprotect(...this.#bytes(step), step.protection));
      case "advise":
        return inWords(yield* user.madvise(...this.#bytes(step), step.advice));
      case "lock":
        return inWords(yield* user.mlock(...this.#bytes(step)));
      case "unlock":
        return inWords(yield* user.munlock(...this.#bytes(step)));
      case "sync":
        return inWords(yield* user.msync(...this.#bytes(step), { others: step.others }));
      case "resize":
      case "move":
        return this.#placed(yield* this.#remap(step));
      case "truncate":
        return inWords(yield* user.ftruncate(this.#file, step.pages * subject.pageSize));
      case "load":
        return inWords(yield* user.load(this.#address(step.at)));
      case "store":
        return inWords(yield* user.store(this.#address(step.at), step.value));
      case "reach":
        return inWords(yield* subject.reach(this.#address(step.at)));
      case "put":
        return inWords(yield* subject.put(this.#address(step.at), step.value));
      case "pin":
        return yield* this.#pin(step);
      case "revoke":
        return yield* this.#revoke();
    }
  }

  *#map(step: Extract<RandomStep, { step: "map" }>): Steps<number> {
    const { thing, first, pages, protection, sharing, populating } = step;
    const address = this.#address(step.at);
    if (thing === "object") {
      const mapping: SubjectMapping = { first, pages, protection, sharing, fixedAt: address };
      return yield* this.#stage.subject.map(mapping);
    }
    const length = pages * this.#stage.subject.pageSize;
    const request = { address, length, protection, sharing, populating, placement: "fixed" } as const;
    return yield* user.mmap(
      thing === "file" ? { ...request, descriptor: this.#file, pgoff: first } : request,
    );
  }

  *#mapOpened(step: Extract<RandomStep, { step: "map-opened" }>): Steps<number> {
    const { mode, first, length, protection, sharing } = step;
    const descriptor = yield* this.#stage.subject.open(mode);
    if (isError(descriptor)) return descriptor;
    const address = yield* user.mmap({
      address: this.#address(step.at),
      placement: "fixed",
      length,
      protection,
      sharing,
      descriptor,
      pgoff: first,
    });
    yield* user.close(descriptor);
    return address;
  }

  *#command(): Steps<number> {
    const descriptor = yield* this.#stage.subject.open();
    if (isError(descriptor)) return descriptor;
    const answer = yield* user.ioctl(descriptor, UNKNOWN_COMMAND);
    yield* user.close(descriptor);
    return answer;
  }

  *#remap(step: Extract<RandomStep, { step: "resize" | "move" }>): Steps<number> {
    const [address, oldLength] = this.#bytes(step);
    const { pageSize } = this.#stage.subject;
    if (step.step === "resize") {
      return yield* user.mremap({ address, oldLength, newLength: step.to * pageSize, moving: "in-place" });
    }
    const { newPages, oldRange } = step;
    const newAddress = this.#address(step.to);
    const newLength = newPages * pageSize;
    return yield* user.mremap({ address, oldLength, newLength, moving: "may-move", newAddress, oldRange });
  }

  *#pin({ access, ...range }: Extract<RandomStep, { step: "pin" }>): Steps<string> {
    const { pinner } = this.#stage;
    if (pinner === undefined) return "no pinner";
    const pinned = yield* pinner.pin(this.#address(range.at), range.pages, access);
    if (typeof pinned === "number") return inWords(pinned);
    const seen = yield* pinner.deviceRead(pinned, 0);
    if (access === "write") yield* pinner.deviceWrite(pinned, 0, 0xd0);
    yield* pinner.unpin(pinned);
    return `held ${pinned.pages}, the first begins with ${inWords(seen)}`;
  }

  *#revoke(): Steps<string> {
    const { gate } = this.#stage.subject;
    if (gate === undefined) return "no gate";
    yield* gate.close();
    yield* gate.open();
    return "revoked and restored";
  }

  #address(page: number): number {
    return WINDOW_START + page * this.#stage.subject.pageSize;
  }

  #bytes({ at, pages }: Range): [address: number, length: number] {
    return [this.#address(at), pages * this.#stage.subject.pageSize];
  }

  /** An address by the page of the window that it is, an errno by its name. */
  #placed(result: number): string {
    if (isError(result)) return inWords(result);
    return `page ${(result - WINDOW_START) / this.#stage.subject.pageSize}`;
  }

  #areaInWords({ start, end, shared, name, pgoff, flags, rss, anonymous }: SmapsArea): string {
    const { pageSize } = this.#stage.subject;
    const page = (address: number) => (address - WINDOW_START) / pageSize;
    // A private area of bare frames counts its pages by them, wherever they are (`remap_pfn_range`).
    const hasPlace = name !== "" && (shared || !flags.includes("pf"));
    const from = hasPlace ? ` from ${pgoff}` : "";
    const asked = flags.filter((flag) => ASKED_FOR.includes(flag)).join(" ");
    const counted = `${rss} counted, ${anonymous} of its own`;
    return `[${page(start)}, ${page(end)}) ${shared ? "shared" : "private"}${from}: ${asked}; ${counted}`;
  }
}
