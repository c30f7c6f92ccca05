import { ActorGone, type Guest } from "../guest/guest.ts";
import type { AgentAnswer } from "../guest/line-protocol.ts";
import type { Doing, LabActor } from "./lab-actor.ts";
import type { RaceOrder } from "./race-order.ts";

/** An operation that an actor is asked for, and what its answer means. */
export interface Asking {
  readonly actor: LabActor;
  readonly doing: Doing;
  readonly words: string;
  readonly read: (answer: AgentAnswer) => unknown;
}

/** Who hears of what comes back. */
export interface Hearer {
  readonly goOn: (actor: LabActor, answer: unknown) => void;
  readonly fail: (failure: unknown) => void;
}

/** Has the guest do operations of different actors, several of them as a race. */
export function sendTogether(
  guest: Pick<Guest, "ask" | "race">,
  order: RaceOrder,
  asked: readonly Asking[],
  hearer: Hearer,
): void {
  for (const [at, answers] of sent(guest, order, asked).entries()) {
    const asking = asked[at];
    if (asking === undefined) continue;
    answers.then(
      ([answer]) => hear(asking, answer, hearer),
      (failure) => {
        // That its process has ended is told by the guest (`onGone`).
        if (!(failure instanceof ActorGone)) hearer.fail(failure);
      },
    );
  }
}

function sent(
  guest: Pick<Guest, "ask" | "race">,
  order: RaceOrder,
  asked: readonly Asking[],
): readonly Promise<readonly AgentAnswer[]>[] {
  if (asked.length < 2) return asked.map(({ actor, words }) => guest.ask(actor.index, [words]));
  const delays = order.delays(asked.length);
  return guest.race(
    asked.map(({ actor, words }, at) => ({ actor: actor.index, operation: words, delay: delays[at] ?? 0 })),
  );
}

function hear({ actor, doing, read }: Asking, answer: AgentAnswer | undefined, hearer: Hearer): void {
  if (actor.doing !== doing || answer === undefined) return;
  // The actor's process is on its way out, which the hub is about to tell.
  if (answer.kind === "what" && answer.word === "actor") return;
  try {
    hearer.goOn(actor, read(answer));
  } catch (failure) {
    hearer.fail(failure);
  }
}
