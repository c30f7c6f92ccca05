import { describe, expect, test } from "vitest";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { Rcu } from "../../src/sched/rcu.ts";
import { Shared } from "../../src/sched/shared.ts";
import { Tasks } from "../support/tasks.ts";

describe("a grace period", () => {
  test("ends only after every read section that began before it, over random schedules", () => {
    let waited = 0;
    for (let seed = 0; seed < 500; seed++) {
      const tasks = new Tasks(randomChooser(seed), 3);
      const rcu = new Rcu(tasks.sched);
      const pointer = new Shared(tasks.sched, "pointer", "old");
      let isOldFreed = false;
      for (const name of ["r1", "r2"]) {
        tasks.start(name, () =>
          rcu.read(function* () {
            const seen = yield* pointer.get();
            yield* rcu.read(() => pointer.get());
            yield* pointer.get();
            if (seen === "old") expect(isOldFreed, `seed ${seed}`).toBe(false);
          }),
        );
      }
      tasks.start("updater", function* () {
        yield* pointer.set("new");
        const stepsBefore = tasks.sched.choices.length;
        yield* rcu.synchronize();
        if (tasks.sched.choices.length > stepsBefore + 2) waited++;
        isOldFreed = true;
      });
      expect(tasks.run().status).toBe("finished");
      expect(tasks.reports).toEqual([]);
    }
    expect(waited).toBeGreaterThan(50);
  });

  test("does not wait when nobody reads", () => {
    const tasks = new Tasks();
    const rcu = new Rcu(tasks.sched);
    tasks.start("a", () => rcu.synchronize());
    expect(tasks.run()).toMatchObject({ status: "finished", steps: 1 });
  });

  test("asked for inside a read section is reported, and never ends", () => {
    const tasks = new Tasks();
    const rcu = new Rcu(tasks.sched);
    tasks.start("a", () => rcu.read(() => rcu.synchronize() as never));
    expect(tasks.run().status).toBe("deadlock");
    expect(tasks.reports[0]).toEqual({
      kind: "sleep-in-atomic",
      message: "a may sleep on an RCU grace period with an RCU read section held",
    });
  });

  test("asked for inside a read section is reported though another task was to be waited for first", () => {
    const tasks = new Tasks(randomChooser(4));
    const rcu = new Rcu(tasks.sched);
    tasks.start("a", () => rcu.read(() => rcu.synchronize() as never));
    tasks.run();
    expect(tasks.kinds).toContain("sleep-in-atomic");
  });
});
