import { VM_READ, VM_WRITE } from "@nopage/core";
import { mustBe, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject } from "../../subject/subject.ts";
import type { Stage } from "../law.ts";

/** Takes a range of so many pages for something that is put there with MAP_FIXED or MREMAP_FIXED: its address. */
export function reserveRange({ pageSize }: Pick<Subject, "pageSize">, pages: number): Steps<number> {
  const request = { length: pages * pageSize, protection: VM_READ | VM_WRITE, sharing: "private" } as const;
  return succeed("mmap of private memory", user.mmap(request));
}

/** A place with so many free pages, and nothing in the way of what is put there with MAP_FIXED and grows. */
export function* freeRange(subject: Pick<Subject, "pageSize">, pages: number): Steps<number> {
  const address = yield* reserveRange(subject, pages);
  yield* unmap(subject, address, pages);
  return address;
}

/** Unmaps `pages` pages from `address` on, which must succeed. */
export function* unmap({ pageSize }: Pick<Subject, "pageSize">, address: number, pages: number): Steps<void> {
  mustBe(`munmap of ${pages} pages`, yield* user.munmap(address, pages * pageSize), 0);
}

/** Moves `pages` pages to a place of the kernel's choice, which must succeed: the new address. */
export function* move(subject: Pick<Subject, "pageSize">, address: number, pages: number): Steps<number> {
  const newAddress = yield* reserveRange(subject, pages);
  const length = pages * subject.pageSize;
  const request = { address, oldLength: length, newLength: length, moving: "may-move", newAddress } as const;
  mustBe(`mremap of ${pages} pages to another place`, yield* user.mremap(request), newAddress);
  return newAddress;
}

/** Why a law that cuts an object into pieces does not apply to a small one. */
export function isSmallerThan(pages: number): (stage: Stage) => string | undefined {
  return ({ subject }) => (subject.pages < pages ? `the object has fewer than ${pages} pages` : undefined);
}
