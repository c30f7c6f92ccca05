import { mustBe } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";

/** A load in a thread of its own, which must have ended after a while: its value, or the trap. */
export function* endedLoad(address: number): Steps<unknown> {
  let seen: unknown;
  const loader = yield* user.thread(function* () {
    seen = yield* user.load(address);
  }, "loader");
  yield* user.sleep(20_000);
  mustBe("a thread that loads while nothing holds it off", yield* user.stateOf(loader), "ended");
  return seen;
}
