import { mustSucceed, type Steps, type Subject, type SubjectSupports, user } from "@nopage/testkit/executor";
import {
  defineSubject,
  mapWhole,
  PAGE_BYTES,
  type SubjectAbilities,
  type SubjectDefinition,
} from "../subject/lab-subject.ts";
import { buildDrivers } from "./build-drivers.ts";
import { asWord, highway } from "./highway-commands.ts";
import { TwinNode, twinModules } from "./twin-node.ts";

/** Pages of an object that is new, and its hole, where the kind of memory has one: as on the model. */
const PAGES = 4;
const HOLE = 2;

/**
 * Without them 6.1 logs `x86/PAT: freeing invalid memtype` whenever a part of what `remap_pfn_range` has mapped is unmapped: its
 * account of cache modes knows such an area as a whole only. That is the kernel's, whatever the driver, and harmless.
 */
const KERNEL_WORDS = ["nopat"];

/** What the nodes of the driver end in. */
export type TwinKind = "window" | "pages" | "holes" | "linear" | "vmalloc" | "coherent";

/** A built-in strategy in C, and what it is tried on. */
export interface TwinOnMemory {
  readonly strategy: string;
  readonly kind: TwinKind;
  readonly supports: SubjectSupports;
}

type FallibleHook = Parameters<NonNullable<Subject["failNext"]>>[0];
type OddMemory = Parameters<NonNullable<Subject["mapOdd"]>>[0];

const hooks: readonly FallibleHook[] = ["mmap", "may-split", "mremap", "mprotect", "mkwrite"];
const oddKinds: readonly OddMemory[] = ["slab", "bare-block", "unaligned"];

/** The twin of a strategy on one kind of memory, such as `lazy-nopage.window`. */
export function defineTwin({ strategy, kind, supports }: TwinOnMemory): SubjectDefinition {
  const node = new TwinNode(strategy, kind);
  return defineSubject({
    name: `${strategy}.${kind}`,
    pages: PAGES,
    holes: kind === "holes" ? [HOLE] : [],
    module: strategy.replaceAll("-", "_"),
    supports,
    builds: "drivers",
    modules: (kernel) => twinModules(buildDrivers(kernel)),
    kernelWords: KERNEL_WORDS,
    *setUp() {
      yield* node.renew();
      const abilities = abilitiesOf(node);
      return kind === "linear" ? { ...abilities, mapOdd: (odd: OddMemory) => mapOdd(node, odd) } : abilities;
    },
  });
}

/** What every object of the driver can do. */
function abilitiesOf(node: TwinNode): SubjectAbilities {
  return {
    path: node.path,
    openElsewhere: () => node.openElsewhere(),
    gate: {
      *close() {
        mustSucceed("closing the gate", yield* node.command(highway.gateClose));
      },
      *open() {
        mustSucceed("opening the gate", yield* node.command(highway.gateOpen));
      },
    },
    *peek(page) {
      return asWord(yield* node.command(highway.peek, page));
    },
    *poke(page, value) {
      mustSucceed("poke", yield* node.command(highway.poke, page * 2 ** 32 + value));
    },
    resize: (pages) => node.command(highway.resize, pages),
    *free() {
      mustSucceed("giving the memory back", yield* node.command(highway.free));
    },
    remove: () => node.unplug(),
    counts: () => countsOf(node),
    *failNext(hook, errno) {
      yield* node.command(highway.fail, hooks.indexOf(hook) * 2 ** 16 + errno);
    },
    long: longObjectOf(node),
  };
}

function* countsOf(node: TwinNode): ReturnType<NonNullable<Subject["counts"]>> {
  const mmaps = yield* node.command(highway.count, 0);
  const opens = yield* node.command(highway.count, 1);
  const closes = yield* node.command(highway.count, 2);
  return { mmaps, opens, closes, faults: yield* node.command(highway.count, 3) };
}

/** An object of an open file's own, that is there until the file is closed and the mapping gone. */
function longObjectOf(node: TwinNode): NonNullable<Subject["long"]> {
  let descriptor = -1;
  return {
    *map(pages, at) {
      descriptor = yield* openOwn(node);
      mustSucceed("showing a long object", yield* user.ioctl(descriptor, highway.show, pages));
      return yield* mapWhole(() => openOwn(node), pages, { descriptor, fixedAt: at });
    },
    *free() {
      yield* user.ioctl(descriptor, highway.free);
      yield* user.close(descriptor);
    },
  };
}

function* mapOdd(node: TwinNode, odd: OddMemory): Steps<number> {
  const descriptor = yield* openOwn(node);
  const shown = yield* user.ioctl(descriptor, highway.showOdd, oddKinds.indexOf(odd));
  const pages = mustSucceed("showing odd memory", shown) / PAGE_BYTES;
  const address = yield* mapWhole(() => openOwn(node), pages, { descriptor });
  yield* user.close(descriptor);
  return address;
}

function* openOwn({ path }: TwinNode): Steps<number> {
  const request = { path, mode: "read-write", blocking: "blocking" } as const;
  return mustSucceed(`open of ${path}`, yield* user.open(request));
}
