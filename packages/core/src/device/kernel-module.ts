import { EBUSY } from "../contract/errno.ts";
import type { EventLog } from "../events/event-log.ts";

/**
 * A loaded driver with its use count (`struct module`; `MOD_INC_USE_COUNT` in 2.0 to 2.4, `try_module_get` since):
 * while somebody uses it, its code may not go away.
 */
export class KernelModule {
  readonly name: string;
  readonly id: number;
  readonly #log: EventLog;
  #uses = 0;
  #state: "loaded" | "unloaded" = "loaded";

  constructor(id: number, name: string, log: EventLog) {
    this.id = id;
    this.name = name;
    this.#log = log;
    log.record("module-load", id);
  }

  get uses(): number {
    return this.#uses;
  }

  get isLoaded(): boolean {
    return this.#state === "loaded";
  }

  /** One user more (`try_module_get`); false when the module is already gone. */
  use(): boolean {
    if (this.#state === "unloaded") return false;
    this.#uses++;
    return true;
  }

  /** One user less (`module_put`). */
  unuse(): void {
    if (this.#uses === 0) throw new Error(`module ${this.name} is given back more often than it was taken`);
    this.#uses--;
  }

  /** Takes the module out: 0, or -EBUSY while it is used (`delete_module` answers -EAGAIN for this with O_NONBLOCK). */
  unload(): number {
    if (this.#uses > 0) return -EBUSY;
    this.#state = "unloaded";
    this.#log.record("module-unload", this.id);
    return 0;
  }
}
