import {
  type BackingKind,
  type Kernel,
  type Machine,
  type MappingStrategy,
  type OpenMode,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import { markOf } from "../mark.ts";
import { mustSucceed } from "../program/expect.ts";
import type { Steps } from "../program/operation.ts";
import { user } from "../program/user.ts";
import { type ShownMemory, showMemory } from "../shown-memory.ts";
import type {
  HookCounts,
  LongObjectOfSubject,
  OddMemory,
  Reached,
  Subject,
  SubjectMapping,
} from "../subject/subject.ts";
import { createTestDevice, type TestDevice } from "../test-device.ts";
import { ControlDevice } from "./control.ts";
import { LongObject, mapLongObject } from "./long-object.ts";
import { ODD_DEVICE, oddKinds } from "./odd-memory.ts";
import { CAPACITY, fallibleHooks, SubjectDriver, subjectCommands } from "./subject-driver.ts";
import { SubjectFile } from "./subject-file.ts";
import { HookWatch, watched } from "./watched-strategy.ts";
import { wordBitsOf } from "./word-bits.ts";

/** Pages of the object. */
export const SUBJECT_PAGES = 4;
const HOLES = [2];

const DEVICE = "/dev/subject";
/** Another node of the same device. */
const ELSEWHERE = "/dev/subject-too";
const MODULE = "subject";

type CommandName = keyof typeof subjectCommands;

const controls = new ControlDevice<SubjectDriver, CommandName>("/dev/subject-control", subjectCommands);

/** Which strategy is tried, on which memory, with or without holes in it. */
export interface StrategyOnMemory {
  readonly strategy: MappingStrategy;
  readonly backing: BackingKind;
  readonly holes: "none" | "some";
}

/** Such as `lazy-nopage on page-array`. */
export function nameOf({ strategy, backing, holes }: StrategyOnMemory): string {
  return `${strategy.name} on ${backing}${holes === "some" ? " with holes" : ""}`;
}

/** A strategy on the model as a subject, and what stands behind it for laws that look inside. */
export interface ModelSubject extends Subject {
  readonly device: TestDevice;
  readonly shown: ShownMemory;
}

/** Makes a device that shows memory through a strategy, with a control device beside it. */
export function createModelSubject(
  machine: Machine,
  kernel: Kernel,
  { strategy, backing, holes }: StrategyOnMemory,
): ModelSubject {
  const watch = new HookWatch();
  const holed = holes === "some" ? HOLES : [];
  const shown = showMemory(machine, backing, CAPACITY, holed);
  const owner = machine.devices.loadModule(MODULE);
  if (typeof owner === "number") throw new Error(`module ${MODULE} cannot be loaded`);
  const device = createTestDevice(machine, kernel, watched(strategy, watch), {
    path: DEVICE,
    memory: shown.memory,
    pages: SUBJECT_PAGES,
    // Registers are not to be cached (PE-04).
    cache: backing === "pfn-run" ? "uncached" : "cached",
    file: new SubjectFile(DEVICE, owner, { kernel, shown }, undefined),
  });
  // The areas hang where the first node's do, as when a driver redirects `i_mapping`.
  const other = new SubjectFile(ELSEWHERE, owner, { kernel, shown }, device.binding);
  const elsewhere = machine.devices.register(ELSEWHERE, other);
  if (typeof elsewhere === "number") throw new Error(`${ELSEWHERE} is already registered`);
  const supports = supportsOf(strategy, backing);
  const long = new LongObject(machine, kernel, strategy, backing);
  const { binding } = device;
  const { countsPages } = supports;
  const nodes = [DEVICE, ELSEWHERE];
  const parts = { machine, kernel, strategy, binding, shown, watch, long, nodes, countsPages };
  const driver = new SubjectDriver(parts);
  controls.register(machine, driver);
  const Kind = backing === "linear" ? LinearSubject : StrategySubject;
  return new Kind({ strategy, backing, holes }, { machine, supports, holes: holed, device, shown });
}

/** What of a subject differs from world to world. */
interface SubjectParts extends Pick<ModelSubject, "supports" | "holes" | "device" | "shown"> {
  readonly machine: Machine;
}

// What programs do with a subject are functions of the module, or methods. A closure that is made anew for each world
// keeps it in memory, and a generator function costs the JavaScript engine a hidden class each besides.

class StrategySubject implements ModelSubject {
  readonly name: string;
  readonly accessor = "cpu";
  readonly supports: Subject["supports"];
  readonly wordBits: 32 | 64;
  readonly pageSize: number;
  readonly pages = SUBJECT_PAGES;
  readonly holes: readonly number[];
  readonly module = MODULE;
  readonly device: TestDevice;
  readonly shown: ShownMemory;
  readonly long: LongObjectOfSubject;
  readonly open = openSubject;
  readonly openElsewhere = openElsewhere;
  readonly reach = reach;
  readonly put = put;
  readonly markOf = markOf;
  readonly gate = control.gate;
  readonly peek = control.peek;
  readonly poke = control.poke;
  readonly resize = control.resize;
  readonly remove = control.remove;
  readonly free = control.free;
  readonly poison = control.poison;
  readonly heal = control.heal;
  readonly counts = control.counts;
  readonly failNext = control.failNext;

  constructor(tried: StrategyOnMemory, { machine, supports, holes, device, shown }: SubjectParts) {
    this.name = nameOf(tried);
    this.supports = supports;
    this.wordBits = wordBitsOf(machine);
    this.pageSize = machine.geometry.pageSize;
    this.holes = holes;
    this.device = device;
    this.shown = shown;
    this.long = new LongOfSubject(this.pageSize);
  }

  map(wanted: SubjectMapping = {}): Steps<number> {
    return mapSubject(this.pageSize, wanted);
  }
}

/** Linear memory may be odd. */
class LinearSubject extends StrategySubject {
  readonly mapOdd = mapOdd;
}

class LongOfSubject implements LongObjectOfSubject {
  readonly #pageSize: number;

  constructor(pageSize: number) {
    this.#pageSize = pageSize;
  }

  map(pages: number, at: number): Steps<number> {
    return mapLong(pages, this.#pageSize, at);
  }

  free(): Steps<void> {
    return told("free-long");
  }
}

function* mapLong(pages: number, pageSize: number, at: number): Steps<number> {
  mustSucceed("showing a long object", yield* controls.once("show-long", pages));
  return yield* mapLongObject(pages * pageSize, at);
}

function supportsOf({ supports }: MappingStrategy, backing: BackingKind): Subject["supports"] {
  const { populate, whileRevoked, mremapGrow, countsPages, privateWritable } = supports;
  return {
    populate,
    whileRevoked,
    mremapGrow,
    countsPages: countsPages.includes(backing),
    privateWritable: privateWritable.includes(backing),
  };
}

function openSubject(mode: OpenMode = "read-write"): Steps<number> {
  return user.open({ path: DEVICE, mode, blocking: "blocking" });
}

function openElsewhere(): Steps<number> {
  return user.open({ path: ELSEWHERE, mode: "read-write", blocking: "blocking" });
}

function reach(address: number): Steps<Reached<number>> {
  return user.load(address);
}

function* mapSubject(
  pageSize: number,
  {
    first = 0,
    pages = SUBJECT_PAGES - first,
    protection = VM_READ | VM_WRITE,
    sharing = "shared",
    fixedAt,
    descriptor,
  }: SubjectMapping,
): Steps<number> {
  const opened = descriptor ?? (yield* openSubject());
  if (opened < 0) return opened;
  const address = yield* user.mmap({
    length: pages * pageSize,
    protection,
    sharing,
    pgoff: first,
    descriptor: opened,
    ...(fixedAt !== undefined && { address: fixedAt, placement: "fixed" }),
  });
  if (descriptor === undefined) yield* user.close(opened);
  return address;
}

function* put(address: number, value: number): Steps<Reached<true>> {
  return (yield* user.store(address, value)) ?? true;
}

/** Has the driver show odd memory under another name, and maps that. */
function* mapOdd(kind: OddMemory): Steps<number> {
  const length = mustSucceed("showing odd memory", yield* controls.once("show-odd", oddKinds.indexOf(kind)));
  const request = { path: ODD_DEVICE, mode: "read-write", blocking: "blocking" } as const;
  const descriptor = mustSucceed(`open of ${ODD_DEVICE}`, yield* user.open(request));
  const protection = VM_READ | VM_WRITE;
  const address = yield* user.mmap({ length, protection, sharing: "shared", pgoff: 0, descriptor });
  yield* user.close(descriptor);
  return address;
}

/** A command that answers nothing. */
function* told(name: CommandName): Steps<void> {
  yield* controls.once(name);
}

/** How a program reaches the owner of the device. */
const control: Required<
  Pick<
    Subject,
    "gate" | "peek" | "poke" | "resize" | "remove" | "free" | "poison" | "heal" | "counts" | "failNext"
  >
> = {
  gate: { close: () => told("close-gate"), open: () => told("open-gate") },
  peek: (page) => controls.once("peek", page),
  *poke(page, value) {
    yield* controls.once("poke-page", page);
    yield* controls.once("poke-value", value);
  },
  resize: (pages) => controls.once("resize", pages),
  remove: () => told("remove"),
  free: () => told("free"),
  poison: (page) => controls.once("poison", page),
  heal: (page) => controls.once("heal", page),
  *counts(): Steps<HookCounts> {
    const mmaps = yield* controls.once("mmaps");
    const opens = yield* controls.once("opens");
    const closes = yield* controls.once("closes");
    return { mmaps, opens, closes, faults: yield* controls.once("faults") };
  },
  *failNext(hook, errno) {
    yield* controls.once("fail-hook", fallibleHooks.indexOf(hook));
    yield* controls.once("fail-errno", errno);
  },
};
