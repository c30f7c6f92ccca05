import { user } from "@nopage/testkit/executor";
import { expect, test } from "vitest";
import { performAlone } from "../../src/execute/perform-alone.ts";
import { ActorGone, type Guest, GuestLost } from "../../src/guest/guest.ts";

/** A guest of which only this is asked. */
function guestThat(ask: Guest["ask"]): Guest {
  return { ask } as Partial<Guest> as Guest;
}

test("a keeper that dies with what it holds, and so never ends, MUST be told as soon as the kernel says so", async () => {
  const guest = { ...guestThat(() => new Promise(() => {})), log: "all is well\n" };
  const failing = performAlone(guest as Guest, 0, user.load(4096)).catch(String);
  setTimeout(() => (guest.log += "divide error: 0000 [#1] PREEMPT SMP\n"), 10);
  expect(await failing).toContain(
    'in the middle of "load 4 4096" the kernel has died: divide error: 0000 [#1] PREEMPT SMP',
  );
}, 10_000);

test("a keeper whose process dies MUST be told as that, and not as one that is slow", async () => {
  const guest = guestThat(() => Promise.reject(new ActorGone("its process has ended by signal 9")));
  const failure = await performAlone(guest, 0, user.load(4096)).catch((thrown: unknown) => thrown);
  expect(failure).toBeInstanceOf(GuestLost);
  expect(String(failure)).toContain('in the middle of "load 4 4096" its process has ended by signal 9');
});
