import { isError } from "@nopage/core";
import type { Stage } from "../laws/law.ts";
import { inWords } from "../program/expect.ts";
import type { Actor, Steps } from "../program/operation.ts";
import { user } from "../program/user.ts";
import type { SubjectMapping } from "../subject/subject.ts";
import { type Bytes, type RandomProgram, type RandomStep, type Range, WINDOW_START } from "./random-step.ts";
import {
  accessInWords,
  areasInWords,
  bytesInWords,
  pagesInWords,
  placeInWords,
  type StepOutcome,
} from "./random-words.ts";

/** Pages of the file that random programs map beside the object. */
const FILE_PAGES = 6;

/** `_IO('n', 0x7f)`: nobody's. */
const UNKNOWN_COMMAND = 0x6e7f;

type Step<K extends RandomStep["step"]> = Extract<RandomStep, { step: K }>;

/** A random program as user operations, whoever executes them, and what its steps came to. */
export class RandomRun {
  readonly outcomes: StepOutcome[] = [];
  /** The areas of the window at the end, in words, lowest first; of a program of one thread, which can say. */
  readonly areas: string[] = [];
  readonly #stage: Stage;
  readonly #pageSize: number;
  #file = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#pageSize = stage.subject.pageSize;
  }

  /** One thread's steps, and a look at what is mapped in the end. */
  *runSequential(steps: readonly RandomStep[]): Steps<void> {
    yield* this.#openFile();
    yield* this.#performAll(steps, "");
    this.areas.push(...areasInWords(yield* user.smaps(), this.#pageSize));
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
    yield* user.ftruncate(this.#file, FILE_PAGES * this.#pageSize);
  }

  *#performAll(steps: readonly RandomStep[], path: string): Steps<void> {
    const children: Actor[] = [];
    for (const [index, step] of steps.entries()) {
      const place = `${path}${index}`;
      const outcome = yield* this.#performAt(step, place, children);
      this.outcomes.push({ place, step, outcome });
    }
    for (const child of children) yield* user.join(child);
  }

  #performAt(step: RandomStep, place: string, children: Actor[]): Steps<string> {
    if (step.step === "fork") return this.#fork(step, place, children);
    return step.step === "while-revoked" ? this.#whileRevoked(step, place) : this.#perform(step);
  }

  *#fork({ steps, parent, end }: Step<"fork">, place: string, children: Actor[]): Steps<string> {
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

  *#whileRevoked({ who, steps, meanwhile }: Step<"while-revoked">, place: string): Steps<string> {
    const { gate } = this.#stage.subject;
    if (gate === undefined) return "no gate";
    yield* gate.close();
    const body = () => this.#performAll(steps, `${place}.`);
    const toucher = who === "thread" ? yield* user.thread(body) : yield* user.fork(body);
    if (typeof toucher === "number") {
      yield* gate.open();
      return inWords(toucher);
    }
    yield* user.settle();
    const state = yield* user.stateOf(toucher);
    yield* this.#performAll(meanwhile, `${place} meanwhile `);
    if (who === "killed-child") yield* user.kill(toucher, "SIGKILL");
    yield* gate.open();
    return `${state}, and then ${inWords(yield* user.join(toucher))}`;
  }

  *#perform(step: Exclude<RandomStep, { step: "fork" | "while-revoked" }>): Steps<string> {
    const { subject } = this.#stage;
    switch (step.step) {
      case "map":
        return this.#placed(yield* this.#map(step));
      case "map-oddly":
        return this.#placed(yield* this.#mapOddly(step));
      case "command":
        return inWords(yield* this.#command());
      case "unmap":
        return inWords(yield* user.munmap(...this.#bytes(step)));
      case "protect":
        return inWords(yield* user.mprotect(...this.#bytes(step), step.protection));
      case "advise":
        return inWords(yield* user.madvise(...this.#bytes(step), step.advice));
      case "lock":
        return inWords(yield* user.mlock(...this.#bytes(step)));
      case "unlock":
        return inWords(yield* user.munlock(...this.#bytes(step)));
      case "sync": {
        const { writing = "sync", others } = step;
        return inWords(yield* user.msync(...this.#bytes(step), { writing, others }));
      }
      case "look":
        return pagesInWords(yield* user.mincore(...this.#bytes(step)));
      case "resize":
        return this.#placed(yield* this.#resize(step));
      case "move":
        return this.#placed(yield* this.#move(step));
      case "truncate":
        return inWords(yield* user.ftruncate(this.#file, step.pages * this.#pageSize + (step.more ?? 0)));
      case "load":
        return yield* this.#load(step);
      case "store":
        return yield* this.#store(step);
      case "copy": {
        const copied = yield* user.processVmRead(this.#address(step), step.bytes);
        return typeof copied === "number" ? inWords(copied) : bytesInWords(copied);
      }
      case "read-mem":
        return bytesInWords(yield* user.readProcMem(this.#address(step), step.bytes));
      case "write-mem":
        return yield* this.#writeMem(step);
      case "reach":
        return inWords(yield* subject.reach(this.#address(step)));
      case "put":
        return inWords(yield* subject.put(this.#address(step), step.value));
      case "pin":
        return yield* this.#pin(step);
      case "revoke":
        return yield* this.#revoke();
    }
  }

  *#map(step: Step<"map">): Steps<number> {
    const { thing, first, pages, protection, sharing, populating } = step;
    const address = this.#address(step);
    if (thing === "object") {
      const mapping: SubjectMapping = { first, pages, protection, sharing, fixedAt: address };
      return yield* this.#stage.subject.map(mapping);
    }
    const length = pages * this.#pageSize;
    const request = { address, length, protection, sharing, populating, placement: "fixed" } as const;
    return yield* user.mmap(
      thing === "file" ? { ...request, descriptor: this.#file, pgoff: first } : request,
    );
  }

  *#mapOddly(step: Step<"map-oddly">): Steps<number> {
    const { thing, mode, first, offset, protection, sharing, placement, locking, populating } = step;
    const [address, length] = this.#bytes(step);
    const request = { address, length, protection, sharing, placement, locking, populating };
    const pgoff = first + offset / this.#pageSize;
    if (thing === "anonymous") return yield* user.mmap(request);
    if (thing === "file") return yield* user.mmap({ ...request, descriptor: this.#file, pgoff });
    const descriptor = yield* this.#stage.subject.open(mode);
    if (isError(descriptor)) return descriptor;
    const mapped = yield* user.mmap({ ...request, descriptor, pgoff });
    yield* user.close(descriptor);
    return mapped;
  }

  *#command(): Steps<number> {
    const descriptor = yield* this.#stage.subject.open();
    if (isError(descriptor)) return descriptor;
    const answer = yield* user.ioctl(descriptor, UNKNOWN_COMMAND);
    yield* user.close(descriptor);
    return answer;
  }

  #resize(step: Step<"resize">): Steps<number> {
    const [address, oldLength] = this.#bytes(step);
    const { to, newBytes = to * this.#pageSize, moving = "in-place", oldRange = "unmap" } = step;
    return user.mremap({ address, oldLength, newLength: newBytes, moving, oldRange });
  }

  #move(step: Step<"move">): Steps<number> {
    const [address, oldLength] = this.#bytes(step);
    const { to, toSkew = 0, newPages, newBytes = newPages * this.#pageSize, oldRange } = step;
    const newAddress = this.#address({ at: to, skew: toSkew });
    return user.mremap({
      address,
      oldLength,
      newLength: newBytes,
      moving: "may-move",
      newAddress,
      oldRange,
    });
  }

  *#load(step: Step<"load">): Steps<string> {
    const address = this.#address(step);
    const { width = 4 } = step;
    const seen = width === 8 ? yield* user.load64(address) : yield* user.load(address, width);
    return accessInWords(seen, address);
  }

  *#store(step: Step<"store">): Steps<string> {
    const address = this.#address(step);
    const { value, width = 4 } = step;
    // Such that every byte is another.
    const stored =
      width === 8
        ? yield* user.store64(address, BigInt(value) * 0x1_0001_0001_0001n)
        : yield* user.store(address, width === 4 ? value * 0x1_0001 : value, width);
    return accessInWords(stored, address);
  }

  *#writeMem(step: Bytes & { readonly value: number }): Steps<string> {
    const from = Uint8Array.from({ length: step.bytes }, (_, index) => step.value + index);
    return inWords(yield* user.writeProcMem(this.#address(step), from));
  }

  *#pin({ access, ...range }: Step<"pin">): Steps<string> {
    const { pinner } = this.#stage;
    if (pinner === undefined) return "no pinner";
    const pinned = yield* pinner.pin(this.#address(range), range.pages, access);
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

  #address({ at, skew = 0 }: { readonly at: number; readonly skew?: number }): number {
    return WINDOW_START + at * this.#pageSize + skew;
  }

  #bytes(range: Range): [address: number, length: number] {
    return [this.#address(range), range.bytes ?? range.pages * this.#pageSize];
  }

  #placed(result: number): string {
    return placeInWords(result, this.#pageSize);
  }
}
