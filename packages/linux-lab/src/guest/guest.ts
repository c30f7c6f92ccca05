import { randomUUID } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildAgent } from "./build-agent.ts";
import { type ArchiveEntry, packArchive } from "./cpio.ts";
import { type AgentAnswer, readAnswers } from "./line-protocol.ts";
import { afterPatience, type Wait } from "./patience.ts";
import { startMachine, type VirtualMachine } from "./qemu.ts";
import type { StockKernel } from "./stock-kernel.ts";

/** What a guest is booted with. */
export interface GuestPlan {
  readonly kernel: StockKernel;
  /** Files of the initramfs beside the agent. */
  readonly files: readonly ArchiveEntry[];
  /** Arguments of QEMU for devices beside the edu card and the shared memory; none where left out. */
  readonly devices?: readonly string[];
  /** Words for the kernel's command line; none where left out. */
  readonly kernelWords?: readonly string[];
  /** 512 where left out. */
  readonly memoryMebibytes?: number;
  /** Time that the boot may take; 60 s where left out. */
  readonly bootMs?: number;
  /** Ends the guest, also one that is still booting. */
  readonly stop?: AbortSignal | undefined;
}

/** A process of the guest has ended: the actors that it had, and how, a signal being negative. */
export interface Gone {
  readonly actors: readonly number[];
  readonly status: number;
}

/** How an actor of the guest stands. */
export interface AgentState {
  readonly state: "ended" | "idle" | "running" | "sleeping";
  /** How often it gave up the CPU by itself so far. */
  readonly switches: string;
  /** Where in the kernel it sleeps. */
  readonly place: string;
}

/** The guest does not answer any more, or has ended. */
export class GuestLost extends Error {
  override readonly name = "GuestLost";
}

/** The process of an actor has ended before it could answer; whoever listens to `onGone` is told as well. */
export class ActorGone extends Error {
  override readonly name = "ActorGone";
}

/** The edu card, and a card with 16 MiB of shared memory behind a BAR. */
const standardDevices = [
  ...["-device", "edu"],
  ...["-object", "memory-backend-ram,id=shared,size=16M,share=on"],
  ...["-device", "ivshmem-plain,memdev=shared"],
];

/** What the hub answers at once; it must not take longer than this. */
const HUB_MS = 10_000;

/** What the agent reads at once (`LINE_BYTES` in `agent/agent.h`), and some for its sequence number. */
const LINE_BYTES = 8100;

/** Room for a racer's numbers in its line. */
const ROOM_FOR_NUMBERS = 40;

/** One of several actors that begin something at the same time. */
export interface Racer {
  readonly actor: number;
  readonly operation: string;
  /** How long after the others are ready, in microseconds. */
  readonly delay: number;
}

/**
 * Of every guest: no more on the console than complaints; and what `kmalloc` hands out is surrounded by marks and filled with a
 * pattern when it is given back, so that who writes where it may not is found out (mm/slub.c), which costs next to nothing.
 */
const words: readonly string[] = ["quiet", "slub_debug=FZP,kmalloc-*"];

interface Waiting {
  readonly actor: string;
  readonly resolve: (answers: readonly AgentAnswer[]) => void;
  readonly reject: (failure: Error) => void;
}

/** A booted virtual machine with the agent in it. */
export class Guest {
  readonly #machine: VirtualMachine;
  readonly #waiting = new Map<string, Waiting>();
  #nextSequence = 1;
  #unread = "";
  #log = "";
  #lost: GuestLost | undefined;
  #ready: () => void = () => {};
  #onLog: () => void = () => {};
  readonly #isReady: Promise<void>;
  /** Called for every process that ends. */
  onGone: (gone: Gone) => void = () => {};

  private constructor(machine: VirtualMachine) {
    this.#machine = machine;
    this.#isReady = new Promise((resolve) => {
      this.#ready = resolve;
    });
    machine.console.on("data", (text: Buffer) => {
      this.#log += text.toString("utf8");
      this.#onLog();
    });
    machine.line.on("data", (text: Buffer) => this.#read(text.toString("utf8")));
    void machine.ended.then((how) => this.#lose(`QEMU has ended with ${how}. ${machine.said()}`.trim()));
  }

  /**
   * Boots a guest and waits for its agent.
   *
   * @throws GuestLost with the last lines of the kernel's log when no agent answers in time
   */
  static async boot(plan: GuestPlan): Promise<Guest> {
    const agent: ArchiveEntry = { path: "init", contents: readFileSync(buildAgent()), mode: "executable" };
    const initramfs = join(tmpdir(), `nopage-initramfs-${randomUUID()}`);
    writeFileSync(initramfs, packArchive([agent, ...plan.files]));
    try {
      const machine = startMachine({
        kernel: plan.kernel.image,
        initramfs,
        memoryMebibytes: plan.memoryMebibytes ?? 512,
        cpus: 2,
        kernelWords: [...words, ...(plan.kernelWords ?? [])],
        devices: [...standardDevices, ...(plan.devices ?? [])],
      });
      const guest = new Guest(machine);
      const end = (): void => machine.kill();
      plan.stop?.addEventListener("abort", end);
      void machine.ended.then(() => plan.stop?.removeEventListener("abort", end));
      await guest.#within(plan.bootMs ?? 60_000, "the boot", guest.#isReady);
      return guest;
    } finally {
      rmSync(initramfs, { force: true });
    }
  }

  /** Everything that the kernel has logged so far. */
  get log(): string {
    return this.#log;
  }

  /** Why the guest cannot be used any more; undefined while it can. */
  get lost(): GuestLost | undefined {
    return this.#lost;
  }

  /**
   * Has an actor do operations one after the other; they travel in one line, and so do their answers.
   *
   * @throws GuestLost when the guest ends first
   * @throws ActorGone when the actor's process does
   */
  ask(actor: number, operations: readonly string[]): Promise<readonly AgentAnswer[]> {
    return this.#send(String(actor), operations.join(";"));
  }

  /**
   * Has several actors do an operation each, and begin at the same time but for their delays; all of it travels in one line.
   * What is too long for a line is begun one after the other. The answers come as they are done.
   *
   * @throws GuestLost by each answer when the guest ends first
   */
  race(racers: readonly Racer[]): readonly Promise<readonly AgentAnswer[]>[] {
    const parts: string[] = [];
    const first = this.#nextSequence;
    const length = racers.reduce((sum, { operation }) => sum + operation.length + ROOM_FOR_NUMBERS, 0);
    if (this.#lost !== undefined || length > LINE_BYTES) {
      return racers.map(({ actor, operation }) => this.ask(actor, [operation]));
    }
    this.#nextSequence += racers.length;
    const answers = racers.map(({ actor, operation, delay }, at) => {
      const sequence = String(first + at);
      parts.push(`${delay} ${sequence} ${actor} ${operation}`);
      return this.#answerTo(sequence, String(actor));
    });
    this.#machine.line.write(`* ${parts.join("|")}\n`);
    return answers;
  }

  /** Has an actor do something that it does not come back from. */
  tell(actor: number, operation: string): void {
    this.#machine.line.write(`${this.#nextSequence++} ${actor} ${operation}\n`);
  }

  /** Starts a process that shares nothing with any other; its first thread is the actor: 0 or a negated errno. */
  async startProcess(actor: number): Promise<number> {
    const [answer] = await this.#own(`process ${actor}`);
    return answer?.kind === "is" ? answer.number : -1;
  }

  /** How actors stand. */
  async statesOf(actors: readonly number[]): Promise<readonly AgentState[]> {
    const [answer] = await this.#own(`state ${actors.join(" ")}`);
    const words = answer?.kind === "is" ? answer.rest : [];
    return actors.map((_, index) => {
      const [state = "ended", switches = "-", place = "-"] = words.slice(3 * index, 3 * index + 3);
      return { state: stateIn(state), switches, place };
    });
  }

  /** Sends a signal to an actor's thread, or to its whole process. */
  async kill(actor: number, signal: number, to: "thread" | "process"): Promise<void> {
    await this.#own(`${to === "thread" ? "kill" : "killall"} ${actor} ${signal}`);
  }

  /**
   * Ends all actors: those that do not die, by their numbers; the guest is of no use then.
   */
  async reset(): Promise<readonly number[]> {
    const [answer] = await this.#own("reset");
    return answer?.kind === "is" && answer.number !== 0 ? answer.rest.map(Number) : [];
  }

  /** Has the kernel log what it logs for a letter (`/proc/sysrq-trigger`), such as `w` for the tasks that are blocked. */
  async sysrq(letter: string): Promise<void> {
    await this.#own(`sysrq ${letter}`);
  }

  /**
   * Waits until everything that the kernel has logged so far has arrived here: the number in `/proc/sys/kernel/tainted`.
   *
   * @throws GuestLost when it does not
   */
  async settleLog(): Promise<number> {
    const mark = `mark-${this.#nextSequence}`;
    const seen = new Promise<void>((resolve) => {
      this.#onLog = () => {
        if (this.#log.includes(mark)) resolve();
      };
    });
    const [answer] = await this.#own(`mark ${mark}`);
    this.#onLog();
    await this.#within(HUB_MS, `"mark ${mark}"`, seen);
    this.#onLog = () => {};
    return answer?.kind === "is" ? Number(answer.rest[0] ?? 0) : 0;
  }

  /** Ends the virtual machine at once. */
  async end(): Promise<void> {
    this.#machine.kill();
    await this.#machine.ended;
  }

  #own(operation: string): Promise<readonly AgentAnswer[]> {
    return this.#within(HUB_MS, `"${operation}"`, this.#send("-", operation));
  }

  #send(actor: string, text: string): Promise<readonly AgentAnswer[]> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    if (text.length > LINE_BYTES) {
      return Promise.reject(
        new RangeError(`${text.length} characters are too long for a line of ${LINE_BYTES}`),
      );
    }
    const sequence = String(this.#nextSequence++);
    const answer = this.#answerTo(sequence, actor);
    this.#machine.line.write(`${sequence} ${actor} ${text}\n`);
    return answer;
  }

  #answerTo(sequence: string, actor: string): Promise<readonly AgentAnswer[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(sequence, { actor, resolve, reject });
    });
  }

  #read(text: string): void {
    const lines = `${this.#unread}${text}`.split("\n");
    this.#unread = lines.pop() ?? "";
    for (const line of lines) this.#readLine(line);
  }

  #readLine(line: string): void {
    const space = line.indexOf(" ");
    const [sequence, text] = [line.slice(0, space), line.slice(space + 1)];
    if (sequence === "!") {
      const [what, ...words] = text.split(" ");
      if (what === "ready") this.#ready();
      else if (what === "gone") {
        const numbers = words.map(Number);
        const status = numbers.at(-1) ?? 0;
        // Nobody is left to answer for them.
        const how = status < 0 ? `by signal ${-status}` : `with status ${status}`;
        for (const [asked, { actor, reject }] of this.#waiting) {
          if (!words.slice(0, -1).includes(actor)) continue;
          this.#waiting.delete(asked);
          reject(new ActorGone(`its process has ended ${how}`));
        }
        this.onGone({ actors: numbers.slice(0, -1), status });
      }
      return;
    }
    const waiting = this.#waiting.get(sequence);
    if (waiting === undefined) return;
    this.#waiting.delete(sequence);
    waiting.resolve(readAnswers(text));
  }

  #lose(why: string): void {
    const tail = this.#log.trimEnd().split("\n").slice(-12).join("\n");
    this.#lost ??= new GuestLost(tail === "" ? why : `${why}\nThe end of the kernel's log:\n${tail}`);
    for (const { reject } of this.#waiting.values()) reject(this.#lost);
    this.#waiting.clear();
  }

  /** Waits no longer than that; a guest that is too slow is ended. */
  async #within<T>(ms: number, what: string, answer: Promise<T>): Promise<T> {
    let wait: Wait | undefined;
    const late = new Promise<never>((_, reject) => {
      wait = afterPatience(ms, () => {
        this.#lose(`${what} has taken more than ${ms / 1000} s`);
        this.#machine.kill();
        reject(this.#lost);
      });
    });
    const failed = this.#machine.ended.then(() => Promise.reject(this.#lost));
    try {
      return await Promise.race([answer, late, failed]);
    } finally {
      wait?.cancel();
      failed.catch(() => {});
    }
  }
}

/** The letter of /proc/PID/status, or the hub's own word. */
function stateIn(word: string): AgentState["state"] {
  if (word === "idle") return "idle";
  if (word === "S" || word === "D") return "sleeping";
  return word === "ended" || word === "Z" || word === "X" || word === "-" ? "ended" : "running";
}
