import { describeProblem } from "@nopage/core/wiring";
import { describe, expect, test } from "vitest";
import { checkForm } from "../../src/config/check-form.ts";

const told = (config: unknown) => checkForm(config).map(describeProblem);

describe("the form of a configuration", () => {
  test("a whole configuration passes, and so does an empty one", () => {
    const whole = {
      strategy: "lazy-nopage",
      pinning: "refcount",
      device: { name: "highway", options: { interfaces: 2 } },
      machine: { geometry: "alpha", cpus: 4, ramPages: 2048, eventLog: "on" },
      chooser: { random: -7 },
      signal: "guitar",
      plugins: ["a-package", "./a-path.ts"],
    };
    expect(told(whole)).toEqual([]);
    expect(told({})).toEqual([]);
    expect(told({ chooser: "run-to-block", machine: undefined })).toEqual([]);
  });

  test("every problem is told at once", () => {
    const config = {
      strategy: 3,
      pinning: "",
      device: { nam: "x" },
      machine: { cpus: "2", geometry: "x86", foo: 1 },
      chooser: { random: 1.5 },
      signal: null,
      plugins: ["a", 3, ""],
      strateggy: "lazy-nopage",
    };
    expect(told(config)).toEqual([
      "strategy: found 3; expected a name, as text",
      'pinning: found ""; expected a name that is not empty',
      "device.name: found nothing; expected a value; it must be given",
      'device.nam: found "x"; expected another key: "name" or "options"; nearest choice: "name"',
      'machine.geometry: found "x86"; expected one of "x86-64", "i386", "alpha", "arm64-64k"; nearest choice: "x86-64"',
      'machine.cpus: found "2"; expected a whole number from 1 to 31',
      expect.stringMatching(
        /^machine.foo: found 1; expected another key: one of "geometry", "cpus", .*"lockLimitPages"$/,
      ),
      "chooser.random: found 1.5; expected a whole number from -2147483648 to 2147483647",
      "signal: found null; expected a name, as text",
      "plugins[1]: found 3; expected the name of a package or a path",
      'plugins[2]: found ""; expected the name of a package or a path',
      expect.stringMatching(
        /^strateggy: found "lazy-nopage"; expected another key: .*; nearest choice: "strategy"$/,
      ),
    ]);
  });

  test("a key that stands in the wrong place is told where it belongs", () => {
    const config = {
      geometry: "alpha",
      random: 7,
      device: { name: "highway", backing: "vmalloc" },
      machine: { pinning: "refcount" },
    };
    expect(told(config)).toEqual([
      'device.backing: found "vmalloc"; expected another key: "name" or "options"; what is for the driver itself belongs under device.options; nearest choice: "device.options.backing"',
      expect.stringMatching(
        /^machine.pinning: found "refcount"; expected another key: .*; pinning belongs at the top; nearest choice: "pinning"$/,
      ),
      expect.stringMatching(
        /^geometry: found "alpha"; expected another key: .*; geometry belongs under machine; nearest choice: "machine.geometry"$/,
      ),
      expect.stringMatching(
        /^random: found 7; expected another key: .*; random belongs under chooser; nearest choice: "chooser.random"$/,
      ),
    ]);
  });

  test("parts of the wrong kind are told whole", () => {
    expect(told({ device: "highway", machine: [], plugins: "a", chooser: "random" })).toEqual([
      'device: found "highway"; expected an object such as { name: "highway" }',
      "machine: found []; expected an object with options of the machine",
      'chooser: found "random"; expected "run-to-block", or an object such as { random: 7 } or { replay: "FILE" }',
      'plugins: found "a"; expected a list of package names and paths',
    ]);
    expect(told({ device: { name: "highway", options: [1] } })).toEqual([
      "device.options: found [1]; expected an object with the driver's options",
    ]);
  });

  test("what only a program can make is no option of a file", () => {
    expect(told({ machine: { chooser: {} } })[0]).toContain(
      "machine.chooser: found {}; expected another key",
    );
  });
});
