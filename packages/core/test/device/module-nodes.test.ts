import { describe, expect, test } from "vitest";
import { Machine } from "#src/machine";

describe("the names that a module has given", () => {
  test("go with it, and those of others stay", () => {
    const machine = new Machine();
    const { devices } = machine;
    const module = devices.loadModule("driver");
    if (typeof module === "number") throw new Error(`errno ${-module}`);
    devices.register("/dev/own", { name: "/dev/own", owner: module });
    devices.register("/dev/own-too", { name: "/dev/own-too", owner: module });
    devices.register("/dev/null", { name: "/dev/null", owner: undefined });
    devices.unregisterAllOf(module);
    expect(devices.paths()).toEqual(["/dev/null"]);
  });
});
