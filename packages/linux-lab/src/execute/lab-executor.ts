import { EINTR, type ExitStatus, type SignalName } from "@nopage/core";
import {
  type Actor,
  type Body,
  failureInWords,
  type LawCase,
  type Steps,
  type UserOperation,
} from "@nopage/testkit/executor";
import { type Gone, type Guest, GuestLost } from "../guest/guest.ts";
import { askedFor, lockLimitWords } from "./guest-operations.ts";
import {
  type Doing,
  inWords,
  isAtWork,
  isPending,
  isStandingStill,
  LabActor,
  LabProcess,
} from "./lab-actor.ts";
import { type LabTimes, usualTimes } from "./lab-times.ts";
import { answered } from "./perform-alone.ts";
import { RaceOrder } from "./race-order.ts";
import { type Asking, sendTogether } from "./send-together.ts";
import { exitStatus, signalNumber } from "./signals.ts";
import { stateOf, untilGone } from "./state-of.ts";
import { Turns } from "./turns.ts";

/** Longer than any sleep of a program, in virtual nanoseconds, as on the model. */
const SETTLING_NS = 1_000_000_000;

/** Actors that the agent has desks for; the first is the keeper of the subject. */
const MOST_ACTORS = 24;
const FIRST_ACTOR = 1;

/** What a run is like, beside its program. */
export interface LabRunOptions {
  /** Pages that a process may lock (RLIMIT_MEMLOCK); what the kernel allows where left out. */
  readonly lockLimitPages?: number | undefined;
  readonly times?: Partial<LabTimes>;
  /** Decides who of a race begins when, as `RaceOrder` says; 0 where left out. */
  readonly raceSeed?: number;
}

/** What the executor needs of a guest. */
export type GuestLine = Pick<
  Guest,
  "ask" | "race" | "tell" | "startProcess" | "statesOf" | "kill" | "onGone"
>;

/** The program does what only the model can: the law cannot be seen on a real kernel. */
export class NotObservable extends Error {
  override readonly name = "NotObservable";
}

/**
 * Executes one user program on a guest: what the model's executor is to the model. The program's actors are threads of the
 * guest; sleeping and waiting for each other is seen to here, by a virtual clock that moves only when every actor stands still,
 * as the model's does.
 */
export class LabExecutor {
  readonly #guest: GuestLine;
  readonly #times: LabTimes;
  readonly #lockLimitPages: number | undefined;
  readonly #actors: LabActor[] = [];
  readonly #problems: string[] = [];
  #now = 0;
  #restSince: number | undefined;
  /** When each asked actor was asked, in real time. */
  readonly #askedAt = new Map<LabActor, number>();
  readonly #order: RaceOrder;
  readonly #turns: Turns;
  /** What was asked for since operations were sent last. */
  #outbox: Asking[] = [];
  #failure: unknown;
  #news: (() => void) | undefined;

  /** @param schedule sequential: one actor at a time goes on, up to where it waits; racy: several begin at once */
  constructor(guest: GuestLine, schedule: LawCase["schedule"], options: LabRunOptions = {}) {
    this.#guest = guest;
    this.#times = { ...usualTimes, ...options.times };
    this.#lockLimitPages = options.lockLimitPages;
    this.#order = new RaceOrder(options.raceSeed ?? 0);
    this.#turns = new Turns(schedule, this.#order);
  }

  /**
   * Runs a program, and whatever it starts, to the end: what was broken, in words.
   *
   * @throws NotObservable for a program that acts inside the kernel
   * @throws GuestLost when the guest is of no use any more
   */
  async run(program: () => Steps<void>): Promise<readonly string[]> {
    this.#guest.onGone = (gone) => this.#processGone(gone);
    const main = await this.#startProcess("law", program);
    while (this.#failure === undefined) {
      this.#wakeJoiners();
      if (this.#stepReady()) continue;
      if (this.#actors.every((actor) => actor.hasEnded)) break;
      // Where everybody waits for the clock there is nothing to look at.
      if (this.#actors.some(isPending)) {
        if (await this.#newsWithin(this.#times.look)) continue;
        await this.#look();
      } else if (this.#restSince !== undefined) {
        await this.#newsWithin(1);
      }
      if (this.#advance() === "stuck") break;
    }
    if (this.#failure !== undefined) throw this.#failure;
    const { exit } = main.process;
    if (this.#problems.length === 0 && exit !== undefined && "signal" in exit) {
      return [`the program died of ${exit.signal}`];
    }
    return this.#problems;
  }

  /** Lets actors go on whose turn it is; whether it is anybody's. */
  #stepReady(): boolean {
    const going = this.#turns.next(this.#actors);
    for (const actor of going) this.#step(actor);
    const asked = this.#outbox;
    this.#outbox = [];
    sendTogether(this.#guest, this.#order, asked, {
      goOn: (actor, answer) => this.#goOn(actor, answer),
      fail: (failure) => this.#fail(failure),
    });
    return going.length > 0;
  }

  #step(actor: LabActor): void {
    if (actor.doing.what !== "ready") return;
    this.#restSince = undefined;
    try {
      const step = actor.steps.next(actor.doing.answer);
      if (step.done === true) this.#leave(actor);
      else this.#perform(actor, step.value);
    } catch (failure) {
      if (failure instanceof NotObservable) {
        this.#fail(failure);
        return;
      }
      this.#problems.push(failureInWords(actor.name, failure));
      this.#leave(actor);
    }
  }

  /** The thread ends, and its process with it when it was the last. */
  #leave(actor: LabActor): void {
    this.#guest.tell(actor.index, "call 60 0");
    actor.begin({ what: actor.isFirst ? "leaving" : "ended" });
    this.#askedAt.set(actor, performance.now());
  }

  #perform(actor: LabActor, operation: UserOperation): void {
    const asked = askedFor(operation.call, operation.request);
    if (asked === undefined) {
      this.#performOwn(actor, operation);
    } else if ("answer" in asked) {
      actor.begin({ what: "ready", answer: asked.answer });
    } else {
      if (operation.call === "countSignal") actor.process.counted.add(operation.request.signal);
      this.#ask(actor, asked.words, asked.read);
    }
  }

  /** Has the guest do an operation, once all have been asked that go on now; the program goes on with what its answer means. */
  #ask(actor: LabActor, words: string, read: Asking["read"]): void {
    const doing: Doing = { what: "asked", operation: words };
    actor.begin(doing);
    this.#askedAt.set(actor, performance.now());
    this.#outbox.push({ actor, doing, words, read });
  }

  /** Has an actor wait for something that is found out about the guest. */
  #lookFor<T>(actor: LabActor, found: Promise<T>, answer: (value: T) => unknown): void {
    const doing: Doing = { what: "looking" };
    actor.begin(doing);
    found.then(
      (value) => {
        if (actor.doing === doing) this.#goOn(actor, answer(value));
      },
      (failure) => this.#fail(failure),
    );
  }

  #goOn(actor: LabActor, answer: unknown): void {
    actor.begin({ what: "ready", answer });
    this.#notify();
  }

  /** What concerns several actors, or time. */
  #performOwn(actor: LabActor, { call, request }: UserOperation): void {
    switch (call) {
      case "thread":
        this.#start(actor, "thread", actor.process, request.name, request.body);
        break;
      case "fork":
        this.#start(actor, "fork", new LabProcess(), request.name, request.body);
        break;
      case "process":
        this.#lookFor(actor, this.#startProcess(request.name, request.body), (started) => started);
        break;
      case "join":
        actor.begin({ what: "joining", other: this.#actor(request.actor) });
        break;
      case "stateOf":
        this.#lookFor(
          actor,
          stateOf(this.#actor(request.actor), this.#guest, this.#times.look),
          (state) => state,
        );
        break;
      case "settle":
        actor.begin({ what: "sleeping", until: this.#now + SETTLING_NS, answer: undefined });
        break;
      case "sleep":
        actor.begin({ what: "sleeping", until: this.#now + request.duration, answer: 0 });
        break;
      case "kill":
        this.#kill(actor, this.#actor(request.actor), request.signal);
        break;
      case "exit":
        this.#guest.tell(actor.index, `call 231 ${request.status}`);
        for (const sibling of actor.process.actors) {
          if (sibling.doing.what === "ended") continue;
          sibling.begin({ what: "leaving" });
          this.#askedAt.set(sibling, performance.now());
        }
        break;
      case "kernel":
        throw new NotObservable("its program acts or looks inside the kernel");
      default:
        throw new Error(`there is no operation ${JSON.stringify(call)}`);
    }
  }

  #start(actor: LabActor, how: "thread" | "fork", process: LabProcess, name: string, body: Body): void {
    const started = this.#nextActor(name, process, body);
    this.#ask(actor, `${how} ${started.index}`, (answer) => {
      if (answer.kind !== "is") throw new Error(`the agent does not know how to start a ${how}`);
      if (answer.number < 0) {
        if (how === "thread") throw new Error(`a thread could not be started: ${answer.number}`);
        return answer.number;
      }
      this.#actors.push(started);
      for (const signal of actor.process.counted) process.counted.add(signal);
      return started;
    });
  }

  async #startProcess(name: string, body: Body): Promise<LabActor> {
    const started = this.#nextActor(name, new LabProcess(), body);
    const answer = await this.#guest.startProcess(started.index);
    if (answer < 0) throw new GuestLost(`process ${name} could not be started: ${answer}`);
    if (this.#lockLimitPages !== undefined) {
      const words = lockLimitWords(this.#lockLimitPages);
      await answered(this.#guest, started.index, words, this.#times.operation);
    }
    this.#actors.push(started);
    return started;
  }

  #started = FIRST_ACTOR;

  #nextActor(name: string, process: LabProcess, body: Body): LabActor {
    const index = this.#started++;
    if (index >= MOST_ACTORS) throw new Error(`the lab has room for ${MOST_ACTORS - FIRST_ACTOR} actors`);
    return new LabActor(name, index, process, body());
  }

  /** The lab's side of an actor that a program holds. */
  #actor(handle: Actor): LabActor {
    const actor = this.#actors.find((known) => known === handle);
    if (actor === undefined) throw new Error(`${handle.name} is no actor of this run`);
    return actor;
  }

  #kill(actor: LabActor, target: LabActor, signal: SignalName): void {
    const to = target.isFirst ? "process" : "thread";
    this.#lookFor(actor, this.#guest.kill(target.index, signalNumber(signal), to), () => {
      const sleeper = (target.isFirst ? target.process.actors : [target]).find(
        ({ doing }) => doing.what === "sleeping",
      );
      if (sleeper !== undefined && target.process.counted.has(signal)) this.#goOn(sleeper, -EINTR);
      return undefined;
    });
  }

  #wakeJoiners(): void {
    for (const actor of this.#actors) {
      if (actor.doing.what !== "joining" || !actor.doing.other.hasEnded) continue;
      const { other } = actor.doing;
      const gone = untilGone(other, this.#guest, this.#times.operation);
      this.#lookFor(actor, gone, (): ExitStatus => other.process.exit ?? { status: 0 });
    }
  }

  /** Looks who of those that were asked stands still in the kernel. */
  async #look(): Promise<void> {
    const asked = this.#actors.filter(({ doing }) => doing.what === "asked");
    const before = asked.map(({ doing }) => doing);
    const states = asked.length === 0 ? [] : await this.#guest.statesOf(asked.map(({ index }) => index));
    for (const [at, actor] of asked.entries()) {
      const state = states[at];
      if (actor.doing !== before[at] || state === undefined) continue;
      actor.isBlocked = isStandingStill(actor.seen, state);
      actor.seen = state;
    }
    const now = performance.now();
    // Of those that the guest does something for: whoever is ready was answered while this process was held up.
    const late = this.#actors.find((actor) => {
      if (actor.doing.what !== "asked" && actor.doing.what !== "leaving") return false;
      return isAtWork(actor) && now - (this.#askedAt.get(actor) ?? now) > this.#times.operation;
    });
    if (late !== undefined) this.#fail(new GuestLost(`${inWords(late)} for ${this.#times.operation} ms`));
  }

  /** Moves the clock to the next who sleeps, when nobody else goes on. */
  #advance(): "on" | "stuck" {
    if (this.#actors.some(isAtWork)) {
      this.#restSince = undefined;
      return "on";
    }
    const now = performance.now();
    this.#restSince ??= now;
    const still = now - this.#restSince;
    const next = Math.min(
      ...this.#actors.map(({ doing }) =>
        doing.what === "sleeping" ? doing.until : Number.POSITIVE_INFINITY,
      ),
    );
    if (next === Number.POSITIVE_INFINITY) {
      if (still < this.#times.rest) return "on";
      const waiting = this.#actors.filter(({ hasEnded }) => !hasEnded).map(inWords);
      this.#problems.push(`deadlock: ${waiting.join("; ")}`);
      return "stuck";
    }
    if (still < Math.min((next - this.#now) / 1_000_000, this.#times.settling)) return "on";
    this.#now = next;
    this.#restSince = undefined;
    for (const actor of this.#actors) {
      if (actor.doing.what === "sleeping" && actor.doing.until <= next) {
        actor.begin({ what: "ready", answer: actor.doing.answer });
      }
    }
    return "on";
  }

  #processGone({ actors, status }: Gone): void {
    const [gone] = this.#actors.filter(({ index }) => actors.includes(index));
    if (gone === undefined) return;
    try {
      gone.process.exit = exitStatus(status);
    } catch (failure) {
      this.#fail(failure);
    }
    for (const actor of gone.process.actors) actor.begin({ what: "ended" });
    this.#notify();
  }

  #fail(failure: unknown): void {
    this.#failure ??= failure;
    this.#notify();
  }

  #notify(): void {
    this.#news?.();
  }

  /** Waits for something to happen, but no longer than that; whether it did. */
  #newsWithin(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (isNews: boolean): void => {
        clearTimeout(timer);
        this.#news = undefined;
        resolve(isNews);
      };
      const timer = setTimeout(() => end(false), ms);
      this.#news = () => end(true);
    });
  }
}
