import { describe, expect, test } from "vitest";
import { checkSettings } from "../../src/wiring/check-settings.ts";
import { PluginError } from "../../src/wiring/plugin-error.ts";
import type { Plugin } from "../../src/wiring/plugin-kind.ts";
import { PluginRegistry } from "../../src/wiring/plugin-registry.ts";
import { ioOnly, noPin, nothingShown, testCard, testRegistry } from "./test-plugins.ts";

function rejection(plugin: unknown): PluginError {
  try {
    new PluginRegistry().register(plugin as Plugin, "./mine.ts");
  } catch (failure) {
    if (failure instanceof PluginError) return failure;
    throw failure;
  }
  throw new Error("the plugin was not rejected");
}

describe("registration", () => {
  test("each kind of plugin is found by its name", () => {
    const registry = testRegistry();
    expect(registry.strategies.get("nothing-shown")).toBe(nothingShown);
    expect(registry.pinning.get("no-pin")).toBe(noPin);
    expect(registry.devices.get("test-card")).toBe(testCard);
    expect(registry.strategies.names()).toEqual(["nothing-shown", "io-only"]);
  });

  test("a name that is taken names both sources", () => {
    const registry = testRegistry();
    expect(() => registry.register({ ...nothingShown }, "./mine.ts")).toThrow(
      'strategy "nothing-shown" from ./mine.ts: a strategy of that name is already registered from the tests; give this one a name of its own (taken are nothing-shown by the tests, io-only by the tests), or leave one of the two modules out',
    );
    expect(registry.strategies.get("nothing-shown")).toBe(nothingShown);
  });

  test("a strategy and a pinning policy may share a name", () => {
    const registry = testRegistry();
    registry.register({ ...noPin, name: "nothing-shown" }, "./mine.ts");
    expect(registry.pinning.names()).toContain("nothing-shown");
  });

  test("an unknown name lists the known ones and the nearest", () => {
    expect(() => testRegistry().strategies.get("nothing-show")).toThrow(
      'strategy: found "nothing-show"; expected the name of a strategy: "nothing-shown" or "io-only"; nearest choice: "nothing-shown"',
    );
  });

  test("an empty registry says that nothing is registered", () => {
    expect(() => new PluginRegistry().pinning.get("refcount")).toThrow(
      'pinning: found "refcount"; expected the name of a pinning policy, but none is registered',
    );
  });
});

describe("the form of a plugin", () => {
  test("every problem is told at once, a sentence each", () => {
    const { privateWritable: _, ...supports } = nothingShown.supports;
    const { rejections } = rejection({
      name: "Nothing Shown",
      supports: {
        ...supports,
        populate: "lasy",
        backing: ["linear", "pfnrun"],
        holes: "no",
        privateWriteable: true,
      },
      create: "later",
    });
    expect(rejections).toEqual([
      {
        plugin: "a strategy without a usable name",
        problems: [
          'name is "Nothing Shown"; it must be in kebab-case, such as "lazy-nopage"',
          'create is "later"; it must be a function',
          'supports.privateWritable is missing; it must be a list of "pfn-run", "page-array", "linear", "vmalloc", "coherent", each once',
          'supports.populate is "lasy"; it must be "eager" or "lazy"; nearest choice: "lazy"',
          'supports.backing is ["linear","pfnrun"]; it must be a list of at least one of "pfn-run", "page-array", "linear", "vmalloc", "coherent", each once; nearest choice: "pfn-run"',
          'supports.holes is "no"; it must be true or false',
          'supports.privateWriteable is no field of a strategy; nearest choice: "privateWritable"',
        ],
      },
    ]);
  });

  test("counted pages and copies are claimed only of memory that the strategy shows", () => {
    const supports = {
      ...nothingShown.supports,
      countsPages: ["linear", "vmalloc"],
      privateWritable: ["coherent"],
    };
    expect(rejection({ ...nothingShown, supports }).message).toBe(
      'strategy "nothing-shown" from ./mine.ts: supports.countsPages names "vmalloc", which supports.backing does not; supports.privateWritable names "coherent", which supports.backing does not',
    );
  });

  test("a plugin without supports is told which fields they have", () => {
    expect(rejection({ name: "bare", load: () => 0 }).message).toBe(
      'device driver "bare" from ./mine.ts: supports is nothing; it must be an object with the fields backing, dma',
    );
  });

  test("a pinning policy is measured as one", () => {
    expect(rejection({ ...noPin, supports: { ...noPin.supports, onDeath: "unsave" } }).message).toBe(
      'pinning policy "no-pin" from ./mine.ts: supports.onDeath is "unsave"; it must be one of "kept-until-unpin", "quarantined", "device-stopped-first", "unsafe"; nearest choice: "unsafe"',
    );
  });

  test("what is no plugin at all is called that", () => {
    expect(rejection({ colour: "blue" }).message).toBe(
      '{"colour":"blue"} from ./mine.ts: it is neither a strategy nor a mirror nor a pinning policy nor a device driver',
    );
  });
});

describe("the plugins of a module", () => {
  test("all are registered, and other exports are left alone", () => {
    const registry = new PluginRegistry();
    const module = { nothingShown, default: nothingShown, noPin, version: 3, helper: () => 1 };
    expect(registry.registerModule(module, "a-package")).toEqual(["nothing-shown", "no-pin"]);
    expect(registry.strategies.sourceOf("nothing-shown")).toBe("a-package");
  });

  test("a CommonJS module may be the plugin itself", () => {
    const registry = new PluginRegistry();
    expect(registry.registerModule({ ...nothingShown }, "./mine.cjs")).toEqual(["nothing-shown"]);
  });

  test("a module without a plugin is told what it exports instead", () => {
    const exports = { answer: 42, makeIt: () => 1, parts: [1], settings: { a: 1 }, nothing: null };
    expect(() => new PluginRegistry().registerModule(exports, "./mine.ts")).toThrow(
      "the module from ./mine.ts: it exports answer (a number), makeIt (a function), parts (a list), settings (an object), nothing (null) and no plugin; it must export what defineStrategy, defineMirror, definePinningPolicy or defineDriver answers with",
    );
    expect(() => new PluginRegistry().registerModule({}, "./mine.ts")).toThrow(
      "it exports nothing at all; it must",
    );
  });

  test("when one plugin is rejected none is registered, and every one is judged", () => {
    const registry = testRegistry();
    const module = {
      good: { ...nothingShown, name: "good" },
      bad: { ...noPin, name: "Bad" },
      again: { ...noPin },
    };
    expect(() => registry.registerModule(module, "./mine.ts")).toThrow(
      /^a pinning policy without a usable name from .*\npinning policy "no-pin" from .* already registered from the tests/,
    );
    expect(registry.strategies.names()).not.toContain("good");
  });

  test("two plugins of one name in one module are told apart by nobody", () => {
    const module = { one: nothingShown, other: { ...nothingShown } };
    expect(() => new PluginRegistry().registerModule(module, "./mine.ts")).toThrow(
      "already registered from ./mine.ts",
    );
  });
});

describe("the one plugin of a kind that a module exports", () => {
  const strategies = new PluginRegistry().strategies.kind;

  test("is registered with all others, and answered with", () => {
    const registry = new PluginRegistry();
    expect(registry.registerOne({ nothingShown, noPin }, "./mine.ts", strategies)).toBe("nothing-shown");
    expect(registry.pinning.names()).toEqual(["no-pin"]);
  });

  test("may be registered already, as the very same object only", () => {
    const registry = testRegistry();
    expect(registry.registerOne({ nothingShown, noPin }, "./mine.ts", strategies)).toBe("nothing-shown");
    expect(registry.strategies.sourceOf("nothing-shown")).toBe("the tests");
    const other = { ...nothingShown };
    expect(() => registry.registerOne({ other }, "./mine.ts", strategies)).toThrow(/already registered from/);
  });

  test("must be there, and be one", () => {
    const registry = new PluginRegistry();
    expect(() => registry.registerOne({ noPin }, "./mine.ts", strategies)).toThrow(
      'the module from ./mine.ts: it exports no strategy but pinning policy "no-pin"',
    );
    expect(() => registry.registerOne({ nothingShown, ioOnly, noPin }, "./mine.ts", strategies)).toThrow(
      'it exports more than one: strategy "nothing-shown", strategy "io-only"; put the module into plugins, and the name of one here',
    );
    expect(registry.pinning.names()).toEqual([]);
  });
});

test("a mirror that is named for a strategy is told what it is and how it is used", () => {
  const registry = testRegistry();
  const mirror = {
    name: "own-mirror",
    supports: { accessor: "device", forms: ["atomic"], holdsOff: "range" },
    create: () => {
      throw new Error("never made");
    },
  } as const;
  registry.register(mirror, "the tests");
  const settings = { strategy: "own-mirror", pinning: "no-pin", device: { name: "test-card" } };
  expect(checkSettings(settings, registry)).toEqual([
    {
      path: "strategy",
      value: "own-mirror",
      expected:
        'the name of a strategy: "nothing-shown" or "io-only". It is a mirror, a page table of the device\'s own that follows the process\'s: to run with one, set pinning to "no-pin"',
      nearest: undefined,
    },
  ]);
});
