import type { AllocationGate } from "../memory/allocation-gate.ts";

/** Whether the allocations that are asked for now are counted, and may be refused. */
export type Injection = "on" | "off";

/**
 * A gate that counts allocations and refuses one of them (`CONFIG_FAULT_INJECTION`: `fail_page_alloc`, `failslab`,
 * `/proc/self/fail-nth`). An option of the machine: `new Machine({ allocations: failNth(3) })`.
 *
 * Counting begins when the gate is made; a machine needs a few allocations to come to be, so who means those of one
 * operation makes it with the injection off, and switches it on around the operation.
 */
export class FailingAllocations implements AllocationGate {
  injection: Injection;
  onAsk: (() => void) | undefined = undefined;
  readonly #asked: string[] = [];
  readonly #isRefused: (asked: readonly string[]) => boolean;
  #refused: string | undefined = undefined;

  /** `isRefused` is told the sites of all allocations so far, the one to decide on last. */
  constructor(isRefused: (asked: readonly string[]) => boolean, injection: Injection) {
    this.#isRefused = isRefused;
    this.injection = injection;
  }

  /** The sites of the allocations that were counted, in order. */
  get asked(): readonly string[] {
    return this.#asked;
  }

  /** The site that was refused, the last one if there were several; undefined as long as none was. */
  get refused(): string | undefined {
    return this.#refused;
  }

  mayAllocate(site: string): boolean {
    if (this.injection === "off") return true;
    this.onAsk?.();
    this.#asked.push(site);
    if (!this.#isRefused(this.#asked)) return true;
    this.#refused = site;
    return false;
  }
}

/** Refuses none, and says which there were. */
export function failNone(injection: Injection = "on"): FailingAllocations {
  return new FailingAllocations(() => false, injection);
}

/** Refuses the `n`th allocation, counted from 1, and no other (`/proc/self/fail-nth`). */
export function failNth(n: number, injection: Injection = "on"): FailingAllocations {
  return new FailingAllocations((asked) => asked.length === n, injection);
}

/** Refuses the `n`th allocation of one site, counted from 1; the sites are those of `AllocationGate.mayAllocate`. */
export function failAt(site: string, n = 1, injection: Injection = "on"): FailingAllocations {
  const isIt = (asked: readonly string[]) =>
    asked.at(-1) === site && asked.filter((other) => other === site).length === n;
  return new FailingAllocations(isIt, injection);
}

/** Refuses every allocation from the `n`th on: memory has run out and stays so. */
export function failFrom(n: number, injection: Injection = "on"): FailingAllocations {
  return new FailingAllocations((asked) => asked.length >= n, injection);
}
