import {
  ENXIO,
  type Kernel,
  type Machine,
  type MappingBinding,
  type MappingStrategy,
  type Page,
  type Shared,
  type Sleepable,
} from "@nopage/core";
import type { ShownMemory } from "../shown-memory.ts";
import type { FallibleHook } from "../subject/subject.ts";
import { setHardware } from "./broken-hardware.ts";
import type { ControlCommand } from "./control.ts";
import { frameOf } from "./frame-of.ts";
import type { LongObject } from "./long-object.ts";
import { showOdd } from "./odd-memory.ts";
import type { HookWatch } from "./watched-strategy.ts";

/** Pages of memory that a subject has behind its object: it can grow to those. */
export const CAPACITY = 8;

export const fallibleHooks: readonly FallibleHook[] = ["mmap", "may-split", "mremap", "mprotect", "mkwrite"];

/** What a subject's driver is made of. */
export interface DriverParts {
  readonly machine: Machine;
  readonly kernel: Kernel;
  /** As it was given, with nobody who counts its calls. */
  readonly strategy: MappingStrategy;
  readonly binding: MappingBinding;
  readonly shown: ShownMemory;
  readonly watch: HookWatch;
  readonly long: LongObject;
  /** The names of its device, which go with it. */
  readonly nodes: readonly string[];
  /** Whether the pages that it shows are counted, so that they may be freed while they are mapped. */
  readonly countsPages: boolean;
}

/** The driver behind a subject, as laws reach it: what each of its commands does. */
export class SubjectDriver {
  readonly parts: DriverParts;
  chosenPage = 0;
  chosenHook: FallibleHook = "mmap";
  readonly #transfer: Shared<"none" | "under way">;

  constructor(parts: DriverParts) {
    this.parts = parts;
    // The transfer's beginning and end are steps of their own, so that others may come in between.
    this.#transfer = parts.kernel.sync.shared<"none" | "under way">("the subject's transfer", "none");
  }

  *closeGate(): Sleepable<number> {
    const { binding, shown } = this.parts;
    yield* binding.quiesce();
    yield* this.#transfer.set("under way");
    shown.hide();
    return 0;
  }

  *openGate(): Sleepable<number> {
    const { binding, shown } = this.parts;
    yield* this.#transfer.set("none");
    shown.reveal();
    yield* binding.resume();
    return 0;
  }

  *resize(pages: number): Sleepable<number> {
    const { binding, shown } = this.parts;
    if (pages > CAPACITY) throw new RangeError(`the subject has ${CAPACITY} pages of memory, not ${pages}`);
    yield* binding.replace(shown.memory, pages, nothing);
    return 0;
  }

  *remove(): Sleepable<number> {
    const { machine, binding, nodes } = this.parts;
    for (const node of nodes) machine.devices.unregister(node);
    yield* binding.remove();
    return 0;
  }

  *free(): Sleepable<number> {
    const { binding, shown, countsPages } = this.parts;
    if (!countsPages) yield* binding.remove();
    shown.release();
    return 0;
  }

  /** The hardware behind a page of the object breaks, or is mended. */
  setHardware(page: number, state: "broken" | "whole"): number {
    const frame = this.frameOf(page);
    if (frame === undefined) return -ENXIO;
    setHardware(this.parts.machine, frame, state);
    return 0;
  }

  /** The frame of a page of the object; undefined where the kernel keeps no account of it. */
  frameOf(page: number): Page | undefined {
    const { machine, binding } = this.parts;
    return frameOf(machine, binding.backing, page);
  }
}

function* nothing(): Sleepable<void> {}

/** The commands, in the order of their numbers. */
export const subjectCommands = {
  "close-gate": (driver) => driver.closeGate(),
  "open-gate": (driver) => driver.openGate(),
  resize: (driver, pages) => driver.resize(pages),
  remove: (driver) => driver.remove(),
  peek: ({ parts }, page) => parts.shown.peek(page),
  "poke-page": (driver, page) => {
    driver.chosenPage = page;
    return 0;
  },
  "poke-value": ({ parts, chosenPage }, value) => {
    parts.shown.poke(chosenPage, value);
    return 0;
  },
  mmaps: ({ parts }) => parts.watch.mmaps,
  opens: ({ parts }) => parts.watch.opens,
  closes: ({ parts }) => parts.watch.closes,
  faults: ({ parts }) => parts.watch.faults,
  "fail-hook": (driver, index) => {
    driver.chosenHook = fallibleHooks[index] ?? "mmap";
    return 0;
  },
  "fail-errno": ({ parts, chosenHook }, errno) => {
    parts.watch.failNext(chosenHook, errno);
    return 0;
  },
  poison: (driver, page) => driver.setHardware(page, "broken"),
  heal: (driver, page) => driver.setHardware(page, "whole"),
  free: (driver) => driver.free(),
  "show-odd": ({ parts: { machine, kernel, strategy } }, kind) => showOdd(machine, kernel, strategy, kind),
  "show-long": ({ parts }, pages) => parts.long.show(pages),
  "free-long": ({ parts }) => parts.long.free(),
} satisfies Record<string, ControlCommand<SubjectDriver>>;
