import { EBUSY, ENOMEM } from "../contract/errno.ts";
import type { Atomic, Sleepable } from "../contract/execution.ts";
import type { Machine } from "../machine.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import { WaitQueue } from "../sched/wait-queue.ts";

/** How a device signals: a level stays asserted until the device lowers it; a message is one event (MSI). */
export type InterruptMode = "level" | "message";

/** What a driver does at an interrupt: whether its device had caused it (`IRQ_HANDLED`, `IRQ_NONE`). */
export type InterruptHandler = () => Atomic<"handled" | "not-mine">;

/** A level that no handler quietens is masked after so many deliveries, as Linux does with a spurious interrupt. */
const STORM_LIMIT = 1000;

/** One interrupt line of one device. */
export class InterruptLine {
  readonly number: number;
  readonly mode: InterruptMode;
  readonly #machine: Machine;
  readonly #cpu: number;
  #handler: InterruptHandler | undefined = undefined;
  #name = "";
  #isAsserted = false;
  #running = 0;
  #unhandled = 0;
  readonly #idle: WaitQueue;
  /** The identity of all that changes about the line, for the scheduler. */
  readonly #cell: number;

  constructor(machine: Machine, number: number, mode: InterruptMode, cpu: number) {
    this.#machine = machine;
    this.number = number;
    this.mode = mode;
    this.#cpu = cpu;
    this.#cell = machine.sched.nextObject();
    this.#idle = new WaitQueue(machine.sched, `interrupt ${number} at rest`);
  }

  /** Installs the handler (`request_irq`): 0; -EBUSY when there is one, -ENOMEM. */
  request(name: string, handler: InterruptHandler): number {
    this.#note(Access.write);
    if (this.#handler !== undefined) return -EBUSY;
    if (!this.#machine.mayAllocate("request_irq")) return -ENOMEM;
    this.#handler = handler;
    this.#name = name;
    this.#unhandled = 0;
    if (this.#isAsserted) this.#deliver();
    return 0;
  }

  /** Takes the handler off and waits until it runs nowhere (`free_irq`). */
  *free(): Sleepable<void> {
    this.#note(Access.write);
    this.#handler = undefined;
    yield* this.#idle.waitUntil(() => {
      this.#note(Access.read);
      return this.#running === 0;
    }, "uninterruptible");
  }

  /** The device asserts the line or sends its message. */
  raise(): void {
    this.#note(Access.write);
    this.#machine.log.record("interrupt-raise", this.number, this.#cpu);
    if (this.mode === "level") {
      if (this.#isAsserted) return;
      this.#isAsserted = true;
    }
    this.#deliver();
  }

  /** The device lets the line go. */
  lower(): void {
    this.#note(Access.write);
    this.#isAsserted = false;
  }

  #deliver(): void {
    const handler = this.#handler;
    if (handler === undefined || (this.mode === "level" && this.#running > 0)) return;
    this.#running++;
    this.#machine.sched.spawn(
      { name: `irq ${this.number} (${this.#name})`, kind: "irq", cpu: this.#cpu },
      this.#handle(handler),
    );
  }

  *#handle(handler: InterruptHandler): Atomic<void> {
    this.#machine.log.record("interrupt-handle", this.number, this.#cpu);
    const verdict = yield* handler();
    this.#note(Access.write);
    this.#unhandled = verdict === "handled" ? 0 : this.#unhandled + 1;
    this.#running--;
    if (this.mode === "level" && this.#isAsserted && this.#unhandled < STORM_LIMIT) this.#deliver();
    // Nothing was delivered either when the handler has been taken off meanwhile, with the level still asserted.
    if (this.#running === 0) yield* this.#idle.wakeAll();
  }

  #note(access: Access): void {
    this.#machine.sched.note(ObjectKind.cell, this.#cell, access);
  }
}

/** Hands out interrupt lines. */
export class InterruptController {
  readonly #machine: Machine;
  #next = 16;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** A line for a device; its interrupts go to `cpu`. */
  connect(mode: InterruptMode, cpu = this.#machine.settings.interruptCpu): InterruptLine {
    return new InterruptLine(this.#machine, this.#next++, mode, cpu);
  }
}
