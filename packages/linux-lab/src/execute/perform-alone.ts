import type { Steps } from "@nopage/testkit/executor";
import { ActorGone, type Guest, GuestLost } from "../guest/guest.ts";
import { complaintsIn, isFatal } from "../guest/kernel-log.ts";
import { afterPatience, type Wait } from "../guest/patience.ts";
import { askedFor } from "./guest-operations.ts";

/** How often the kernel's log is looked at meanwhile, and how long whoever oopses has to be gone. */
const LOOK_MS = 500;

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

/**
 * What an actor answers to one operation, within so many milliseconds.
 *
 * @throws GuestLost when it takes longer, or when its process or the kernel dies in the middle of it
 */
export async function answered(
  guest: Pick<Guest, "ask"> & Partial<Pick<Guest, "log">>,
  actor: number,
  words: string,
  ms = OPERATION_MS,
) {
  let wait: Wait | undefined;
  let looks: NodeJS.Timeout | undefined;
  const from = guest.log?.length ?? 0;
  const late = new Promise<never>((_, reject) => {
    wait = afterPatience(ms, () => reject(new GuestLost(`"${words}" takes more than ${ms / 1000} s`)));
    let dead: string | undefined;
    looks = setInterval(() => {
      // Whoever dies with a lock held may not even come to its end.
      if (dead !== undefined)
        reject(new GuestLost(`in the middle of "${words}" the kernel has died: ${dead}`));
      dead = complaintsIn(guest.log?.slice(from) ?? "").find(isFatal)?.what;
    }, LOOK_MS);
  });
  try {
    const [answer] = await Promise.race([guest.ask(actor, [words]), late]);
    if (answer === undefined) throw new GuestLost(`"${words}" was not answered`);
    return answer;
  } catch (failure) {
    if (!(failure instanceof ActorGone)) throw failure;
    throw new GuestLost(`in the middle of "${words}" ${failure.message}`, { cause: failure });
  } finally {
    wait?.cancel();
    clearInterval(looks);
  }
}
