import type { AllocationGate } from "@nopage/core";

/** Memory that a law has run out at a moment of its choice: a machine's allocations, for model-only cases. */
export class ShortMemory implements AllocationGate {
  /** Allocations that still succeed. */
  left = Number.POSITIVE_INFINITY;

  mayAllocate(): boolean {
    return this.left-- > 0;
  }
}
