import type {
  Atomic,
  IntervalNotifier,
  IntervalSubscription,
  InvalidateRange,
  Sleepable,
  UserAddress,
} from "@nopage/core";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";

/** A follower of one range of a law's own, by sequence numbers; for model-only cases. */
export class IntervalRecorder implements IntervalNotifier {
  readonly name = "interval recorder";
  readonly events: InvalidateRange["event"][] = [];
  readonly sequences: number[] = [];
  #subscription: IntervalSubscription | undefined;

  *invalidate(
    range: InvalidateRange,
    subscription: IntervalSubscription,
    sequence: number,
  ): Sleepable<boolean> {
    this.events.push(range.event);
    this.sequences.push(sequence);
    yield* subscription.setSequence(sequence);
    return true;
  }

  /** Begins to follow in the calling process. */
  follow(address: number, bytes: number): Steps<void> {
    const recorder = this;
    return user.kernel(function* ({ kernel, thread }) {
      const [start, end] = [address as UserAddress, (address + bytes) as UserAddress];
      const subscription = yield* kernel.mappings.insertInterval(thread.mm, start, end, recorder);
      if (typeof subscription === "number")
        throw new Error(`an interval cannot be followed: ${subscription}`);
      recorder.#subscription = subscription;
    });
  }

  get subscription(): IntervalSubscription {
    if (this.#subscription === undefined) throw new Error("it does not follow yet");
    return this.#subscription;
  }

  /** Whether an invalidation is under way that hit the range. */
  isColliding(): Steps<boolean> {
    const recorder = this;
    return user.kernel(function* (): Atomic<boolean> {
      return (yield* recorder.subscription.tryReadBegin()) === undefined;
    });
  }

  /** Waits until none is: the number to check. */
  readBegin(): Steps<number> {
    return user.kernel(() => this.subscription.readBegin());
  }

  readRetry(sequence: number): Steps<boolean> {
    return user.kernel(() => this.subscription.readRetry(sequence));
  }

  leave(): Steps<void> {
    return user.kernel(() => this.subscription.remove());
  }
}
