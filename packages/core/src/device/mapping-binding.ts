import type { CacheMode } from "../contract/area.ts";
import type { Backing, BackingMemory } from "../contract/backing.ts";
import { ContractViolation } from "../contract/contract-violation.ts";
import { EINVAL, ENODEV } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import type { MappableArea } from "../contract/file.ts";
import type { Kernel } from "../contract/kernel.ts";
import type { MappingStrategy, StrategyHooks } from "../contract/strategy.ts";
import type { Machine } from "../machine.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import { callHook, THREW } from "../mm/call-hook.ts";
import type { CountingGate } from "../mm/gate.ts";
import { unmapBacking } from "../mm/rmap.ts";
import type { Vma } from "../mm/vma.ts";
import type { ZapReach } from "../mm/zap.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import type { Scheduler } from "../sched/scheduler.ts";

/** What a driver wants shown, before it is bound to a strategy. */
export interface BackingShape {
  readonly name: string;
  readonly memory: BackingMemory;
  readonly pages: number;
  readonly cache: CacheMode;
  /** Where the reverse map keeps the areas: the device's inode has it. */
  readonly mapping: AddressSpace;
}

/**
 * The core's side of a backing. What it shows is noted as a cell with the number of its gate: whoever looks at it meets who
 * exchanges it, and not who only closes the gate.
 */
abstract class BoundBacking implements Backing {
  readonly name: string;
  readonly cache: CacheMode;
  readonly gate: CountingGate;
  readonly mapping: AddressSpace;
  abstract memory: BackingMemory;
  abstract pages: number;

  constructor(machine: Machine, shape: BackingShape) {
    this.name = shape.name;
    this.cache = shape.cache;
    this.gate = machine.createGate(shape.name);
    this.mapping = shape.mapping;
  }
}

/** Where no orders are searched: plain fields, as every fault reads them. */
class PlainBacking extends BoundBacking {
  override memory: BackingMemory;
  override pages: number;

  constructor(machine: Machine, shape: BackingShape) {
    super(machine, shape);
    this.memory = shape.memory;
    this.pages = shape.pages;
  }
}

/** Where orders are searched: each look and change is noted. */
class WatchedBacking extends BoundBacking {
  readonly #watcher: Scheduler;
  #memory: BackingMemory;
  #pages: number;

  constructor(machine: Machine, shape: BackingShape) {
    super(machine, shape);
    this.#watcher = machine.sched;
    this.#memory = shape.memory;
    this.#pages = shape.pages;
  }

  override get memory(): BackingMemory {
    this.#watcher.note(ObjectKind.cell, this.gate.index, Access.read);
    return this.#memory;
  }

  override set memory(memory: BackingMemory) {
    this.#watcher.note(ObjectKind.cell, this.gate.index, Access.write);
    this.#memory = memory;
  }

  override get pages(): number {
    this.#watcher.note(ObjectKind.cell, this.gate.index, Access.read);
    return this.#pages;
  }

  override set pages(pages: number) {
    this.#watcher.note(ObjectKind.cell, this.gate.index, Access.write);
    this.#pages = pages;
  }
}

/**
 * One device's memory shown through one strategy: what a driver calls instead of the strategy. It keeps the order of
 * gate and zap, checks what the plugin answers, and does for it what every strategy would have to do alike.
 */
export class MappingBinding {
  readonly strategy: MappingStrategy;
  readonly backing: Backing;
  readonly #bound: BoundBacking;
  readonly #machine: Machine;
  readonly #hooks: StrategyHooks;

  /** @throws ContractViolation when the strategy cannot show this kind of memory */
  constructor(machine: Machine, kernel: Kernel, strategy: MappingStrategy, shape: BackingShape) {
    this.#machine = machine;
    this.strategy = strategy;
    this.#checkKind(shape.name, shape.memory, "create");
    const Kind = machine.sched.chooser.interleaves ? WatchedBacking : PlainBacking;
    this.#bound = new Kind(machine, shape);
    this.backing = this.#bound;
    this.#hooks = strategy.create(kernel);
  }

  /**
   * The driver's mmap hook: checks that the area lies inside the object, in pages, so that nothing wraps (MM-07), and
   * asks the strategy. A mapping that is joined with the one next to it gets past all of this, as past a driver's
   * check in Linux; nothing is shown that should not be, because every fault asks strategy and gate again.
   *
   * @returns 0; -EINVAL outside the object, and when the strategy throws, which is reported; -ENODEV once the device is gone; the strategy's errno
   */
  *mmap(area: MappableArea): Sleepable<number> {
    const { backing } = this;
    if (backing.gate.state === "gone") return -ENODEV;
    if (area.pgoff > backing.pages || area.pages > backing.pages - area.pgoff) return -EINVAL;
    area.backing = backing;
    area.mapping = backing.mapping;
    area.cache = backing.cache;
    yield* this.#makeFindable(area as Vma);
    const name = { plugin: this.strategy.name, hook: "mmap" };
    const operations = yield* callHook(this.#machine, name, () => this.#hooks.mmap(area, backing));
    if (operations === THREW) return -EINVAL;
    if (typeof operations === "number") {
      if (operations < 0 && Number.isInteger(operations)) return operations;
      throw new ContractViolation(
        this.strategy.name,
        "mmap",
        `answered ${operations}, which is no negated errno`,
        undefined,
      );
    }
    if (typeof operations !== "object" || operations === null) {
      throw new ContractViolation(
        this.strategy.name,
        "mmap",
        `answered ${String(operations)} instead of operations`,
        undefined,
      );
    }
    area.ops = operations;
    return 0;
  }

  /**
   * Takes the mapping away for a while: the gate first, then every entry that shows the object. When it returns nobody
   * can touch the object. Private copies are no part of it: a process keeps those (RV-04).
   */
  *quiesce(): Sleepable<void> {
    yield* this.backing.gate.close();
    yield* this.#revoke("shared-only");
  }

  /**
   * Undoes one `quiesce`; the last one lets everybody in again. A strategy whose `restore` throws is reported, and what it
   * did not restore stays away: whoever touches that meets SIGBUS, or faults it in.
   */
  *resume(): Sleepable<void> {
    yield* this.backing.gate.open();
    const name = { plugin: this.strategy.name, hook: "restore" };
    yield* callHook(this.#machine, name, () => this.#hooks.restore?.(this.backing));
  }

  /** The device is gone: what is mapped goes, waiting threads wake to SIGBUS, and nothing is mapped ever again. */
  *remove(): Sleepable<void> {
    yield* this.backing.gate.remove();
    yield* this.#revoke("even-cows");
  }

  /**
   * Changes what is shown and how much of it (TR-04): closes the gate, zaps, lets the driver exchange the memory, opens.
   * `exchange` runs while nothing is mapped; what it takes away may be freed in it. Private copies of pages past the
   * new end go too (TR-02).
   *
   * @throws ContractViolation, with nothing changed, when the strategy cannot show the new kind of memory
   */
  *replace(memory: BackingMemory, pages: number, exchange: () => Sleepable<void>): Sleepable<void> {
    this.#checkKind(this.backing.name, memory, "replace");
    yield* this.quiesce();
    yield* exchange();
    this.#bound.memory = memory;
    this.#bound.pages = pages;
    yield* unmapBacking(this.backing, pages, "even-cows");
    yield* this.resume();
  }

  #checkKind(name: string, { kind }: BackingMemory, hook: string): void {
    const { backing } = this.strategy.supports;
    if (backing.includes(kind)) return;
    const what = `cannot show ${name}, which is ${kind}; it shows ${backing.join(", ")}`;
    throw new ContractViolation(this.strategy.name, hook, what, undefined);
  }

  /**
   * Links an area into the reverse map before the strategy writes its first entry: a zap that runs while the mmap hook
   * does would miss an area that is linked only afterwards, and leave what the hook had mapped until then (QU-09).
   */
  *#makeFindable(area: Vma): Sleepable<void> {
    const { mapping } = this.backing;
    yield* mapping.lock.write();
    mapping.link(area);
    mapping.lock.unlockWrite();
  }

  /** Nobody may reach the object afterwards, so a strategy whose `revoke` throws is reported, and the core zaps for it. */
  *#revoke(reach: ZapReach): Sleepable<void> {
    const { backing } = this;
    const name = { plugin: this.strategy.name, hook: "revoke" };
    const isLeftOut = this.#hooks.revoke === undefined;
    if (isLeftOut || (yield* callHook(this.#machine, name, () => this.#hooks.revoke?.(backing))) === THREW) {
      yield* unmapBacking(backing, 0, reach);
      return;
    }
    this.#machine.log.record("zap", 0, 0, backing.pages);
  }
}
