import {
  type DriverContext,
  defineDriver,
  definePinningPolicy,
  defineStrategy,
  EBUSY,
  ENOMEM,
  isError,
  type LoadedDriver,
  sigbus,
} from "../../src/contract/index.ts";
import { PluginRegistry } from "../../src/wiring/plugin-registry.ts";

/** A strategy of the smallest size that maps nothing: every touch is SIGBUS. */
export const nothingShown = defineStrategy({
  name: "nothing-shown",
  supports: {
    populate: "lazy",
    backing: ["linear"],
    whileRevoked: "sigbus",
    mremapGrow: false,
    holes: false,
    largeLeaves: false,
    countsPages: [],
    privateWritable: [],
  },
  create: () => ({ mmap: () => ({ name: "nothing-shown", nopage: () => sigbus }) }),
});

export const ioOnly = defineStrategy({
  ...nothingShown,
  name: "io-only",
  supports: { ...nothingShown.supports, backing: ["pfn-run"] },
});

export const noPin = definePinningPolicy({
  name: "no-pin",
  supports: {
    holdsBy: "notifier",
    survives: [],
    survivesOnLegacy: [],
    coherentAfterFork: true,
    onDeath: "unsafe",
    charged: false,
  },
  create: () => ({ pin: () => -1, unpin: () => undefined }),
});

/** What the test driver can be told to do wrong. */
export interface TestCardOptions {
  readonly load?: "throws" | "refuses" | "answers -EBUSY" | "never ends" | "answers nonsense";
  readonly unload?: "leaves its buffer" | "answers -EBUSY" | "throws";
}

/** A driver for a buffer of one page, behind /dev/test0. */
export const testCard = defineDriver({
  name: "test-card",
  supports: { backing: ["linear"], dma: "none" },
  *load({ kernel, strategy, options }: DriverContext<TestCardOptions | undefined>) {
    if (options?.load === "throws") throw new TypeError("no such card");
    if (options?.load === "refuses") throw new RangeError('load is "refuses"');
    if (options?.load === "answers -EBUSY") return -EBUSY;
    if (options?.load === "answers nonsense") return undefined as unknown as LoadedDriver;
    if (options?.load === "never ends") {
      yield* kernel.sync.waitQueue("a card that is not there").waitUntil(() => false, "uninterruptible");
    }
    const module = kernel.devices.loadModule("test-card");
    if (typeof module === "number") return module;
    const address = kernel.memory.kmalloc.kmalloc(kernel.geometry.pageSize);
    if (address === undefined) return -ENOMEM;
    const inode = kernel.devices.register("/dev/test0", {
      name: "test-card",
      owner: module,
      *mmap(_file, area) {
        return yield* binding.mmap(area);
      },
    });
    if (typeof inode === "number") return inode;
    const binding = kernel.bind(strategy, {
      name: "test-card buffer",
      memory: { kind: "linear", address },
      pages: 1,
      cache: "cached",
      mapping: inode.mapping,
    });
    const loaded: LoadedDriver = {
      path: "/dev/test0",
      *unload() {
        yield* binding.remove();
        if (options?.unload === "throws") throw new TypeError("the card fell out");
        if (options?.unload === "answers -EBUSY" || isError(module.unload())) return -EBUSY;
        kernel.devices.unregister("/dev/test0");
        if (options?.unload !== "leaves its buffer") kernel.memory.kmalloc.kfree(address);
        return 0;
      },
    };
    return loaded;
  },
});

export const testSettings = {
  strategy: "nothing-shown",
  pinning: "no-pin",
  device: { name: "test-card" },
} as const;

export function testRegistry(): PluginRegistry {
  const registry = new PluginRegistry();
  for (const plugin of [nothingShown, ioOnly, noPin, testCard]) registry.register(plugin, "the tests");
  return registry;
}
