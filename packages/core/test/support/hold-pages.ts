import { expect } from "vitest";
import type { Sleepable } from "../../src/contract/execution.ts";
import type { Page, UserAddress } from "../../src/contract/units.ts";
import type { PageRequest } from "../../src/mm/pin.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import type { World } from "./world.ts";

export const PIN: PageRequest = { access: "write", hold: "pin", permission: "checked" };

/** Holds pages of a thread's memory, which must succeed in full. */
export function* hold(
  world: World,
  thread: UserThread,
  at: number,
  count: number,
  request = PIN,
): Sleepable<readonly Page[]> {
  const pages = yield* world.kernel.user.getPages(thread.mm, at as UserAddress, count, request);
  if (typeof pages === "number") throw new Error(`getPages answered ${pages}`);
  expect(pages).toHaveLength(count);
  return pages;
}

/** Gives back what `hold` answered with, unwritten. */
export function* release(
  world: World,
  thread: UserThread,
  pages: readonly Page[],
  request = PIN,
): Sleepable<void> {
  for (const page of pages) yield* world.kernel.user.releasePage(thread.mm, page, request.hold, "clean");
}
