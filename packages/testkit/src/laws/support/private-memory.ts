import { VM_READ, VM_WRITE } from "@nopage/core";
import { succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";

/** Private memory without a file, each page of which begins with the values given. */
export function* privateMemory(pageSize: number, values: readonly number[]): Steps<number> {
  const request = {
    length: values.length * pageSize,
    protection: VM_READ | VM_WRITE,
    sharing: "private",
  } as const;
  const address = yield* succeed("mmap of private memory", user.mmap(request));
  for (const [page, value] of values.entries()) yield* user.store(address + page * pageSize, value);
  return address;
}
