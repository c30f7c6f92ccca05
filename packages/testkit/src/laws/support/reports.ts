import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";

/** What the machine has reported so far, in words; for model-only cases. */
export function reports(): Steps<readonly string[]> {
  return user.kernel(function* ({ machine }) {
    return machine.violations.list.map(({ message }) => message);
  });
}
