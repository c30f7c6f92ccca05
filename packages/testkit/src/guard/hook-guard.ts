import { ContractViolation, isGenerator, type Machine, type Point, type Sleep } from "@nopage/core";
import type { Handed } from "./handed.ts";

/** Steps that one call of a hook may take: far more than any that waits for something, and far less than for ever. */
const MOST_STEPS = 5_000;

type HeldLocks = NonNullable<Machine["sched"]["current"]>["held"];

const noLocks: HeldLocks = [];

/**
 * Stands between the kernel and the hooks of one plugin, and looks at what the kernel itself takes on trust: that a hook
 * comes to an end, gives back the locks that it takes, and leaves alone what it was handed. What it finds is reported by
 * plugin and hook.
 *
 * The hook's own steps go by unchanged, so that a schedule is the same with and without it.
 */
export class HookGuard {
  readonly plugin: string;
  readonly #machine: Machine;

  constructor(plugin: string, machine: Machine) {
    this.plugin = plugin;
    this.#machine = machine;
  }

  /**
   * Calls a hook.
   *
   * @param handed what it may not change
   * @throws what the hook throws; ContractViolation for one that does not come to an end
   */
  call<T, Y extends Point | Sleep>(
    hook: string,
    handed: Handed,
    run: () => T | Generator<Y, T, void>,
  ): T | Generator<Y, T, void> {
    const held = this.#held();
    const before = partsOf(handed);
    const answer = run();
    this.#compare(hook, before, handed);
    if (isGenerator(answer)) return this.#drive(hook, handed, answer, held);
    this.#compareLocks(hook, held);
    return answer;
  }

  /** That the plugin broke its contract, as an exception. */
  breach(hook: string, what: string, cause?: unknown): ContractViolation {
    return new ContractViolation(this.plugin, hook, what, cause);
  }

  *#drive<T, Y extends Point | Sleep>(
    hook: string,
    handed: Handed,
    steps: Generator<Y, T, void>,
    held: HeldLocks,
  ): Generator<Y, T, void> {
    for (let taken = 0; taken < MOST_STEPS; taken++) {
      // Between two steps somebody else may change things; within one it was the hook.
      const before = partsOf(handed);
      const step = steps.next();
      this.#compare(hook, before, handed);
      if (step.done === true) {
        this.#compareLocks(hook, held);
        return step.value;
      }
      yield step.value;
    }
    throw this.breach(hook, `has not come to an end after ${MOST_STEPS} steps`);
  }

  #compare(hook: string, before: readonly unknown[], handed: Handed): void {
    const after = partsOf(handed);
    const isAsLong = before.length === after.length;
    // Of each part there is what it is, and behind it its value.
    for (let at = 0; at < Math.max(before.length, after.length); at += 2) {
      const isThere = at < before.length && at < after.length;
      if (isThere && Object.is(before[at + 1], after[at + 1])) continue;
      this.#report(hook, `changed ${String(before[at] ?? after[at])}, which it was handed to read`);
      // Where parts were added or taken away, what comes after the first of them has moved, and is not what was changed.
      if (!isAsLong) return;
    }
  }

  #compareLocks(hook: string, before: HeldLocks): void {
    const after = this.#held();
    if (after.length === before.length && after.every((lock, at) => lock === before[at])) return;
    const kept = after.map(({ name }) => name);
    for (const { name } of before) {
      const place = kept.indexOf(name);
      if (place !== -1) kept.splice(place, 1);
    }
    if (kept.length > 0) this.#report(hook, `has come back and still holds ${kept.join(", ")}`);
  }

  #held(): HeldLocks {
    const task = this.#machine.sched.current;
    return task?.holdsLocks === true ? task.held : noLocks;
  }

  #report(hook: string, what: string): void {
    this.#machine.violations.report("contract", this.breach(hook, what).message);
  }
}

function partsOf(handed: Handed): readonly unknown[] {
  const parts: unknown[] = [];
  handed(parts);
  return parts;
}
