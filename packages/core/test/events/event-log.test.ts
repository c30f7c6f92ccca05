import { describe, expect, test } from "vitest";
import { EventLog } from "../../src/events/event-log.ts";
import { eventFields, eventNames } from "../../src/events/events.ts";
import { violationKinds } from "../../src/sanitize/violation.ts";
import { World } from "../support/world.ts";

describe("the event log", () => {
  test("keeps who, when, what and on what, in order", () => {
    let now = 5;
    const log = new EventLog(
      "on",
      () => now,
      () => 3,
    );
    log.record("mmap", 1, 0x1000, 2);
    now = 2 ** 40;
    log.record("exit", 7);
    expect(log.length).toBe(2);
    expect([...log.events()]).toEqual([
      { index: 0, time: 5, task: 3, name: "mmap", fields: { mm: 1, address: 0x1000, pages: 2 } },
      { index: 1, time: 2 ** 40, task: 3, name: "exit", fields: { process: 7, mm: 0, status: 0 } },
    ]);
    expect([...log.events(1)].map(({ name }) => name)).toEqual(["exit"]);
    expect([...log.events(0, 1)]).toHaveLength(1);
  });

  test("grows without losing anything, and is the same bytes for the same events", () => {
    const make = (events: number) => {
      const log = new EventLog(
        "on",
        () => 0,
        () => -1,
      );
      for (let index = 0; index < events; index++) log.record("pte-set", 1, index, 2 ** 52 - 1);
      return log;
    };
    const log = make(5000);
    expect([...log.events()].map(({ fields }) => fields["vpn"])).toEqual(
      Array.from({ length: 5000 }, (_, index) => index),
    );
    expect(log.bytes()).toEqual(make(5000).bytes());
    expect(log.bytes()).toHaveLength(5000 * 48);
    expect(make(4999).bytes()).not.toEqual(log.bytes());
  });

  test("that is off records nothing", () => {
    const log = new EventLog(
      "off",
      () => 0,
      () => -1,
    );
    log.record("mmap", 1);
    expect(log.length).toBe(0);
    expect(log.bytes()).toHaveLength(0);
  });

  test("has at most three fields for an event, each name once", () => {
    expect(new Set(eventNames).size).toBe(eventNames.length);
    for (const fields of Object.values(eventFields)) expect(fields.length).toBeLessThanOrEqual(3);
  });

  test("tells of a violation by its kind", () => {
    const world = new World({ eventLog: "on" });
    world.machine.violations.report("leak", "a leak");
    const last = [...world.machine.log.events()].at(-1);
    expect(last).toMatchObject({
      name: "violation",
      task: -1,
      fields: { kind: violationKinds.indexOf("leak") },
    });
    expect(world.machine.violations.list).toMatchObject([
      { kind: "leak", message: "a leak", task: "boot", time: 0 },
    ]);
  });
});
