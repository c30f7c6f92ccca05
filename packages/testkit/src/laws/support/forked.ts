import { mustSucceed } from "../../program/expect.ts";
import type { Body, Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";

/** Forks a child, which must succeed, and waits for its end. */
export function* forked(body: Body): Steps<void> {
  const child = yield* user.fork(body);
  if (typeof child === "number") mustSucceed("fork", child);
  else yield* user.join(child);
}
