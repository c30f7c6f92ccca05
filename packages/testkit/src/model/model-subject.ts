import {
  type BackingKind,
  ENXIO,
  type Kernel,
  type Machine,
  type MappingBinding,
  type MappingStrategy,
  type OpenMode,
  type Page,
  PG_hwpoison,
  type Shared,
  type Sleepable,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import { markOf } from "../mark.ts";
import { mustSucceed } from "../program/expect.ts";
import type { Steps } from "../program/operation.ts";
import { user } from "../program/user.ts";
import { type ShownMemory, showMemory } from "../shown-memory.ts";
import type {
  FallibleHook,
  HookCounts,
  OddMemory,
  Reached,
  Subject,
  SubjectMapping,
} from "../subject/subject.ts";
import { createTestDevice, type TestDevice } from "../test-device.ts";
import { type ControlCommand, ControlDevice } from "./control.ts";
import { frameOf } from "./frame-of.ts";
import { LongObject, mapLongObject } from "./long-object.ts";
import { ODD_DEVICE, oddKinds, showOdd } from "./odd-memory.ts";
import { HookWatch, watched } from "./watched-strategy.ts";
import { wordBitsOf } from "./word-bits.ts";

/** Pages of the object, and pages of memory behind it: it can grow to those. */
export const SUBJECT_PAGES = 4;
const CAPACITY = 8;
const HOLES = [2];

const DEVICE = "/dev/subject";
/** Another node of the same device. */
const ELSEWHERE = "/dev/subject-too";
const MODULE = "subject";

/** What the control device does, in the order of the commands' numbers. */
const commandNames = [
  "close-gate",
  "open-gate",
  "resize",
  "remove",
  "peek",
  "poke-page",
  "poke-value",
  "mmaps",
  "opens",
  "closes",
  "faults",
  "fail-hook",
  "fail-errno",
  "poison",
  "heal",
  "free",
  "show-odd",
  "show-long",
  "free-long",
] as const;
type CommandName = (typeof commandNames)[number];

const controls = new ControlDevice("/dev/subject-control", commandNames);

const fallibleHooks: readonly FallibleHook[] = ["mmap", "may-split", "mremap", "mprotect", "mkwrite"];

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
    owner,
  });
  const elsewhere = machine.devices.register(ELSEWHERE, {
    name: ELSEWHERE,
    owner,
    // The areas hang where the first node's do, as when a driver redirects `i_mapping`.
    mmap: (_file, area) => device.binding.mmap(area),
  });
  if (typeof elsewhere === "number") throw new Error(`${ELSEWHERE} is already registered`);
  const supports = supportsOf(strategy, backing);
  const long = new LongObject(machine, kernel, strategy, backing);
  const commands: Record<CommandName, ControlCommand> = {
    ...commandsOf({ machine, kernel }, device, shown, watch),
    free: () => freeAll(device, shown, supports),
    "show-odd": (kind) => showOdd(machine, kernel, strategy, kind),
    "show-long": (pages) => long.show(pages),
    "free-long": () => long.free(),
  };
  controls.register(machine, commands);
  return {
    name: nameOf({ strategy, backing, holes }),
    accessor: "cpu",
    supports,
    wordBits: wordBitsOf(machine),
    pageSize: machine.geometry.pageSize,
    pages: SUBJECT_PAGES,
    holes: holed,
    module: MODULE,
    ...mapping(machine.geometry.pageSize),
    ...control,
    long: {
      map: (pages, at) => mapLong(pages, machine.geometry.pageSize, at),
      free: () => told("free-long"),
    },
    ...(backing === "linear" && { mapOdd: (kind) => mapOdd(kind) }),
    markOf,
    device,
    shown,
  };
}

function* mapLong(pages: number, pageSize: number, at: number): Steps<number> {
  mustSucceed("showing a long object", yield* controls.once("show-long", pages));
  return yield* mapLongObject(pages * pageSize, at);
}

function* freeAll(
  { binding }: TestDevice,
  shown: ShownMemory,
  { countsPages }: Subject["supports"],
): Sleepable<number> {
  if (!countsPages) yield* binding.remove();
  shown.release();
  return 0;
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

function commandsOf(
  { machine, kernel }: { readonly machine: Machine; readonly kernel: Kernel },
  { binding }: TestDevice,
  shown: ShownMemory,
  watch: HookWatch,
): Record<Exclude<CommandName, "free" | "show-odd" | "show-long" | "free-long">, ControlCommand> {
  const { frames } = machine.memory;
  const mark = (page: number, change: (on: typeof frames, frame: Page) => void): number => {
    const frame = frameOf(machine, binding.backing, page);
    if (frame === undefined) return -ENXIO;
    change(frames, frame);
    return 0;
  };
  // The device's beginning and end are steps of their own, so that others may come in between.
  const transfer = kernel.sync.shared<"none" | "under way">("the subject's transfer", "none");
  let chosenPage = 0;
  let chosenHook: FallibleHook = "mmap";
  return {
    "close-gate": () => closeGate(binding, transfer, shown),
    "open-gate": () => openGate(binding, transfer, shown),
    resize: (pages) => resize(binding, shown, pages),
    remove: () => remove(binding),
    peek: (page) => shown.peek(page),
    "poke-page": (page) => {
      chosenPage = page;
      return 0;
    },
    "poke-value": (value) => {
      shown.poke(chosenPage, value);
      return 0;
    },
    mmaps: () => watch.counts.mmaps,
    opens: () => watch.counts.opens,
    closes: () => watch.counts.closes,
    faults: () => watch.counts.faults,
    "fail-hook": (index) => {
      chosenHook = fallibleHooks[index] ?? "mmap";
      return 0;
    },
    "fail-errno": (errno) => {
      watch.failNext(chosenHook, errno);
      return 0;
    },
    poison: (page) => mark(page, (frames, frame) => frames.setFlags(frame, PG_hwpoison)),
    heal: (page) => mark(page, (frames, frame) => frames.clearFlags(frame, PG_hwpoison)),
  };
}

/** Whether the subject's transfer is under way. */
type Transfer = Shared<"none" | "under way">;

function* closeGate(binding: MappingBinding, transfer: Transfer, shown: ShownMemory): Sleepable<number> {
  yield* binding.quiesce();
  yield* transfer.set("under way");
  shown.hide();
  return 0;
}

function* openGate(binding: MappingBinding, transfer: Transfer, shown: ShownMemory): Sleepable<number> {
  yield* transfer.set("none");
  shown.reveal();
  yield* binding.resume();
  return 0;
}

function* resize(binding: MappingBinding, shown: ShownMemory, pages: number): Sleepable<number> {
  if (pages > CAPACITY) throw new RangeError(`the subject has ${CAPACITY} pages of memory, not ${pages}`);
  yield* binding.replace(shown.memory, pages, nothing);
  return 0;
}

function* nothing(): Sleepable<void> {}

function* remove(binding: MappingBinding): Sleepable<number> {
  yield* binding.remove();
  return 0;
}

/** How a program opens, maps and touches the device. */
function mapping(pageSize: number): Pick<Subject, "open" | "openElsewhere" | "map" | "reach" | "put"> {
  return {
    open: openSubject,
    openElsewhere: () => user.open({ path: ELSEWHERE, mode: "read-write", blocking: "blocking" }),
    map: (wanted = {}) => mapSubject(pageSize, wanted),
    reach: (address) => user.load(address),
    put,
  };
}

// The steps of a program that the subject offers are functions of the module: one that is made anew for each world
// would cost the JavaScript engine a hidden class each, which keeps the world in memory with it.

function openSubject(mode: OpenMode = "read-write"): Steps<number> {
  return user.open({ path: DEVICE, mode, blocking: "blocking" });
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
