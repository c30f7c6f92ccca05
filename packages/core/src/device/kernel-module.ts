import { EBUSY, ENOENT, EWOULDBLOCK } from "../contract/errno.ts";
import type { EventLog } from "../events/event-log.ts";
import type { Machine } from "../machine.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import type { Scheduler } from "../sched/scheduler.ts";

/**
 * A loaded driver with its use count (`struct module`; `MOD_INC_USE_COUNT` in 2.0 to 2.4, `try_module_get` since):
 * while somebody uses it, its code may not go away.
 */
export class KernelModule {
  readonly name: string;
  readonly id: number;
  readonly #log: EventLog;
  readonly #sched: Scheduler;
  /** The identity of its count and state for the scheduler. */
  readonly #cell: number;
  #uses = 0;
  #state: "loaded" | "going" | "unloaded" = "loaded";

  constructor(id: number, name: string, { log, sched }: Pick<Machine, "log" | "sched">) {
    this.id = id;
    this.name = name;
    this.#log = log;
    this.#sched = sched;
    this.#cell = sched.nextObject();
    log.record("module-load", id);
  }

  get uses(): number {
    this.#note(Access.read);
    return this.#uses;
  }

  /** Its code is there, though it may be on its way out. */
  get isLoaded(): boolean {
    this.#note(Access.read);
    return this.#state !== "unloaded";
  }

  /** One user more (`try_module_get`); false when the module is gone or on its way out. */
  use(): boolean {
    this.#note(Access.countUp);
    if (this.#state !== "loaded") return false;
    this.#uses++;
    return true;
  }

  /** One user less (`module_put`). */
  unuse(): void {
    if (this.#uses === 0) throw new Error(`module ${this.name} is given back more often than it was taken`);
    // Nobody waits for the last user, so that it does not matter who is the last.
    this.#note(Access.countUp);
    this.#uses--;
  }

  /**
   * The first half of taking the module out (`delete_module` of 6.1, which never waits, whether O_NONBLOCK was given or
   * not; up to 3.12 it waited without). On success nobody can use it any more, and its own exit function may run.
   *
   * @returns 0; -EWOULDBLOCK while it is used, with nothing changed (2.4 said -EBUSY); -EBUSY while somebody else is
   *   taking it out; -ENOENT once it is out
   */
  beginUnload(): number {
    this.#note(Access.write);
    if (this.#state === "going") return -EBUSY;
    if (this.#state === "unloaded") return -ENOENT;
    if (this.#uses > 0) return -EWOULDBLOCK;
    this.#state = "going";
    return 0;
  }

  /** The second half, after the exit function: the code is gone (`free_module`). */
  finishUnload(): void {
    this.#note(Access.write);
    this.#state = "unloaded";
    this.#log.record("module-unload", this.id);
  }

  /** Both halves at once, for a module without an exit function; answers as `beginUnload`. */
  unload(): number {
    const refused = this.beginUnload();
    if (refused === 0) this.finishUnload();
    return refused;
  }

  #note(access: Access): void {
    this.#sched.note(ObjectKind.cell, this.#cell, access);
  }
}
