import { mustBe, type Steps, user } from "@nopage/testkit/executor";
import { describe, expect, test } from "vitest";
import { LabExecutor, NotObservable } from "../../src/execute/lab-executor.ts";
import { ActorGone, GuestLost } from "../../src/guest/guest.ts";
import { FakeGuest } from "./fake-guest.ts";

/** Everything at a hundredth of its usual time: nothing here waits for a real machine. */
const quick = { look: 2, settling: 10, rest: 60, operation: 500 };

function run(guest: FakeGuest, program: () => Steps<void>, schedule: "sequential" | "racy" = "sequential") {
  return new LabExecutor(guest, schedule, { times: quick }).run(program);
}

/** A load from page 1 waits until a store to page 2. */
function gated(): FakeGuest {
  const guest: FakeGuest = new FakeGuest((words) => {
    if (words === "load 4 4096") return { waits: "the gate" };
    if (words.startsWith("store 4 8192")) guest.wake("the gate", "value 0x7");
    return words.startsWith("store") ? "done" : "is 0";
  });
  return guest;
}

describe("a program in the guest", () => {
  test("MUST be resumed with what its operations answered", async () => {
    const answers: unknown[] = [];
    const guest = new FakeGuest((words) => (words.startsWith("load") ? "trap 7 2 0x1000" : "is -22"));
    const problems = await run(guest, function* () {
      answers.push(yield* user.munmap(4096, 4096), yield* user.load(4096));
    });
    expect(problems).toEqual([]);
    expect(answers).toEqual([-22, { signal: "SIGBUS", code: "BUS_ADRERR", address: 4096 }]);
    expect(guest.asked).toEqual(["1 call 11 4096 4096", "1 load 4 4096", "1 call 60 0"]);
  });

  test("that breaks its law MUST be told by what it says, whoever of its actors says it", async () => {
    const problems = await run(new FakeGuest(), function* () {
      const other = yield* user.thread(function* () {
        mustBe("a word", yield* user.munmap(0, 0), 1);
      }, "other");
      yield* user.join(other);
    });
    expect(problems).toEqual(["a word is 0, and must be 1"]);
  });

  test("MUST see that a thread waits, and let it go on, as the model does", async () => {
    const seen: unknown[] = [];
    const problems = await run(gated(), function* () {
      const reader = yield* user.thread(function* () {
        seen.push(yield* user.load(4096));
      }, "reader");
      yield* user.settle();
      seen.push(yield* user.stateOf(reader));
      yield* user.store(8192, 1);
      yield* user.join(reader);
      seen.push(yield* user.stateOf(reader));
    });
    expect(problems).toEqual([]);
    expect(seen).toEqual(["blocked", 7, "ended"]);
  });

  test("MUST sleep by a clock that moves only when everybody stands still, in order of the sleeps' ends", async () => {
    const order: string[] = [];
    const sleeper = (name: string, ns: number) =>
      function* (): Steps<void> {
        yield* user.sleep(ns);
        yield* user.munmap(0, 0);
        order.push(name);
      };
    await run(new FakeGuest(), function* () {
      yield* user.thread(sleeper("late", 2_000_000), "late");
      yield* user.thread(sleeper("early", 1_000_000), "early");
      yield* user.sleep(1_500_000);
      order.push("main");
    });
    expect(order).toEqual(["early", "main", "late"]);
  });

  test("MUST NOT go on from a join before the kernel has seen the thread out", async () => {
    const guest = new FakeGuest();
    const statesOf = guest.statesOf.bind(guest);
    let looks = 0;
    guest.statesOf = async (actors) => {
      const states = await statesOf(actors);
      looks++;
      return looks < 4 ? states.map((state) => ({ ...state, state: "running" })) : states;
    };
    let seen = 0;
    const problems = await run(guest, function* () {
      const thread = yield* user.thread(function* () {
        yield* user.munmap(0, 0);
      });
      yield* user.join(thread);
      seen = looks;
    });
    expect(problems).toEqual([]);
    expect(seen).toBeGreaterThanOrEqual(4);
  });

  test("MUST get a process's end by its status or its signal", async () => {
    const ends: unknown[] = [];
    const problems = await run(new FakeGuest(), function* () {
      const child = yield* user.fork(function* () {
        yield* user.exit(3);
      });
      if (typeof child === "number") throw new Error("fork failed");
      ends.push(yield* user.join(child));
      const victim = yield* user.process(function* () {
        yield* user.sleep(1e12);
      }, "victim");
      yield* user.kill(victim, "SIGKILL");
      ends.push(yield* user.join(victim));
    });
    expect(problems).toEqual([]);
    expect(ends).toEqual([{ status: 3 }, { signal: "SIGKILL" }]);
  });

  test("in which nobody can go on MUST be told as a deadlock, with who waits and where", async () => {
    const problems = await run(gated(), function* () {
      const reader = yield* user.thread(function* () {
        yield* user.load(4096);
      }, "reader");
      yield* user.join(reader);
    });
    expect(problems).toEqual([
      'deadlock: law waits for the end of reader; reader does "load 4 4096" (sleeping, the gate)',
    ]);
  });

  test("whose operation keeps a CPU for ever MUST cost the guest, not the run", async () => {
    const guest = new FakeGuest(() => ({ waits: "nothing" }));
    guest.statesOf = async (actors) => actors.map(() => ({ state: "running", switches: "1", place: "-" }));
    const running = run(guest, function* () {
      yield* user.load(4096);
    });
    await expect(running).rejects.toThrow(GuestLost);
  });

  test("MUST cost the guest, not the run, where its process cannot even be prepared", async () => {
    const guest = new FakeGuest(() => ({ waits: "nothing" }));
    const options = { times: { ...quick, operation: 50 }, lockLimitPages: 4 };
    const running = new LabExecutor(guest, "sequential", options).run(function* () {
      yield* user.load(4096);
    });
    await expect(running).rejects.toThrow(/call 302 .* takes more than 0.05 s/);
  });

  test("MUST see a child die in the middle of an operation, and go on", async () => {
    const guest: FakeGuest = new FakeGuest(() => ({ waits: "nothing" }));
    const ask = guest.ask.bind(guest);
    guest.ask = (actor, operations) => {
      if (operations[0] !== "load 4 4096") return ask(actor, operations);
      setTimeout(() => guest.onGone({ actors: [actor], status: -9 }), 5);
      return Promise.reject(new ActorGone("its process has ended by signal 9"));
    };
    const ends: unknown[] = [];
    const problems = await run(guest, function* () {
      const child = yield* user.fork(function* () {
        yield* user.load(4096);
      });
      if (typeof child === "number") throw new Error("fork failed");
      ends.push(yield* user.join(child));
    });
    expect({ problems, ends }).toEqual({ problems: [], ends: [{ signal: "SIGKILL" }] });
  });

  test("MUST NOT be taken for one that hangs because this process was held up", async () => {
    let isHeldUp = false;
    const guest = new FakeGuest(() => {
      if (!isHeldUp) {
        isHeldUp = true;
        for (const until = performance.now() + 2 * quick.operation; performance.now() < until; );
      }
      return "is 0";
    });
    const problems = await run(guest, function* () {
      yield* user.munmap(0, 0);
      const other = yield* user.thread(function* () {
        yield* user.munmap(0, 0);
      });
      yield* user.stateOf(other);
      yield* user.join(other);
    });
    expect(problems).toEqual([]);
  });

  test("that acts inside the kernel MUST be told apart from one that breaks its law", async () => {
    const running = run(new FakeGuest(), function* () {
      yield* user.kernel(function* () {});
    });
    await expect(running).rejects.toThrow(NotObservable);
  });

  test("racy: threads MUST begin operations together, with delays that the seed says", async () => {
    const racesOf = async (raceSeed: number, schedule: "sequential" | "racy" = "racy") => {
      const guest = new FakeGuest();
      const body = function* (): Steps<void> {
        for (let turn = 0; turn < 8; turn++) yield* user.munmap(0, 0);
      };
      const program = function* (): Steps<void> {
        yield* user.thread(body);
        yield* body();
      };
      await new LabExecutor(guest, schedule, { times: quick, raceSeed }).run(program);
      expect(guest.asked.filter((words) => words.endsWith("call 11 0 0"))).toHaveLength(16);
      return guest.races;
    };
    const races = await racesOf(1);
    expect(races.length).toBeGreaterThan(3);
    for (const race of races) {
      expect(race.map((words) => words.replace(/\d+$/, "")).sort()).toEqual([
        "1 call 11 0 0 +",
        "2 call 11 0 0 +",
      ]);
      expect(race.some((words) => words.endsWith("+0"))).toBe(true);
    }
    expect(races.flat().some((words) => !words.endsWith("+0"))).toBe(true);
    expect(await racesOf(1)).toEqual(races);
    expect(await racesOf(2)).not.toEqual(races);
    expect(await racesOf(1, "sequential")).toEqual([]);
  });

  test("racy: who waits in the kernel MUST NOT be waited for by the others", async () => {
    const problems = await run(
      gated(),
      function* () {
        const reader = yield* user.thread(function* () {
          yield* user.load(4096);
        });
        for (let turn = 0; turn < 4; turn++) yield* user.munmap(0, 0);
        yield* user.store(8192, 1);
        yield* user.join(reader);
      },
      "racy",
    );
    expect(problems).toEqual([]);
  });

  test("sequential: one actor at a time MUST be at work; racy: all of them", async () => {
    const mostAtOnce = async (schedule: "sequential" | "racy"): Promise<number> => {
      let atWork = 0;
      let most = 0;
      const guest = new FakeGuest();
      const ask = guest.ask.bind(guest);
      guest.ask = async (actor, operations) => {
        atWork++;
        most = Math.max(most, atWork);
        await new Promise((resolve) => setTimeout(resolve, 1));
        const answers = await ask(actor, operations);
        atWork--;
        return answers;
      };
      const body = function* (): Steps<void> {
        for (let turn = 0; turn < 3; turn++) yield* user.munmap(0, 0);
      };
      await run(
        guest,
        function* () {
          yield* user.thread(body, "one");
          yield* user.thread(body, "other");
          yield* body();
        },
        schedule,
      );
      return most;
    };
    expect(await mostAtOnce("sequential")).toBe(1);
    expect(await mostAtOnce("racy")).toBeGreaterThan(1);
  });
});
