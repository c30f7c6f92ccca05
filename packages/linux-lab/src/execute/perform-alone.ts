import type { Steps } from "@nopage/testkit/executor";
import { type Guest, GuestLost } from "../guest/guest.ts";
import { afterPatience, type Wait } from "../guest/patience.ts";
import { askedFor } from "./guest-operations.ts";

/** An operation that nobody else can help along may take so long, in milliseconds. */
const OPERATION_MS = 20_000;

/**
 * Has one actor of the guest do the steps, one after the other; they may start nothing and wait for nobody.
 *
 * @throws GuestLost for an operation that does not come to an end
 */
export async function performAlone<T>(guest: Guest, actor: number, steps: Steps<T>): Promise<T> {
  let answer: unknown;
  for (;;) {
    const step = steps.next(answer);
    if (step.done === true) return step.value;
    const { call, request } = step.value;
    const asked = askedFor(call, request);
    if (asked === undefined) throw new Error(`${call} is not for the keeper of a subject`);
    answer = "answer" in asked ? asked.answer : asked.read(await answered(guest, actor, asked.words));
  }
}

async function answered(guest: Guest, actor: number, words: string) {
  let wait: Wait | undefined;
  const late = new Promise<never>((_, reject) => {
    wait = afterPatience(OPERATION_MS, () =>
      reject(new GuestLost(`"${words}" takes more than ${OPERATION_MS / 1000} s`)),
    );
  });
  try {
    const [answer] = await Promise.race([guest.ask(actor, [words]), late]);
    if (answer === undefined) throw new GuestLost(`"${words}" was not answered`);
    return answer;
  } finally {
    wait?.cancel();
  }
}
