import {
  type BackingMemory,
  type Machine,
  type MappingStrategy,
  type UserAddress,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import { succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import { createTestDevice } from "../../test-device.ts";

const PATH = "/dev/handed";

/** Memory that a law hands to the strategy under test, as a driver does. */
export interface HandedMemory {
  readonly memory: BackingMemory;
  readonly pages: number;
}

/**
 * Shows memory of the law's own through a strategy and maps all of it, shared and writable: the address, or a negated
 * errno. The memory is not given back. For model-only cases, once a machine.
 *
 * @param fixedAt where, with `MAP_FIXED`
 */
export function* mapHanded(
  strategy: MappingStrategy,
  take: (machine: Machine) => HandedMemory,
  fixedAt?: number,
): Steps<number> {
  const length = yield* user.kernel(function* ({ machine, kernel }) {
    const { memory, pages } = take(machine);
    createTestDevice(machine, kernel, strategy, { path: PATH, memory, pages });
    return pages * machine.geometry.pageSize;
  });
  const request = { path: PATH, mode: "read-write", blocking: "blocking" } as const;
  const descriptor = yield* succeed(`open of ${PATH}`, user.open(request));
  const address = yield* user.mmap({
    length,
    protection: VM_READ | VM_WRITE,
    sharing: "shared",
    pgoff: 0,
    descriptor,
    ...(fixedAt !== undefined && { address: fixedAt as UserAddress, placement: "fixed" }),
  });
  yield* user.close(descriptor);
  return address;
}
