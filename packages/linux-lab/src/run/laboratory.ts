import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { lab } from "../execute/lab-calls.ts";
import { performAlone } from "../execute/perform-alone.ts";
import type { ArchiveEntry } from "../guest/cpio.ts";
import { Guest, GuestLost, type GuestPlan } from "../guest/guest.ts";
import { findKernel, type StockKernel } from "../guest/stock-kernel.ts";
import { type GuestModule, PAGE_BYTES, type SubjectDefinition } from "../subject/lab-subject.ts";
import { KEEPER } from "./keeper.ts";
import { type Heard, KernelWatch } from "./kernel-watch.ts";
import { loadAgain, loadModules, MODULES } from "./load-modules.ts";
import { SetUps } from "./set-ups.ts";

/** No guest comes up, and no further one is tried. */
export class NoGuests extends Error {
  override readonly name = "NoGuests";
}

const nothing: Heard = { complaints: [], kernel: "fit" };

/** Guests in a row that may not come up. */
const MOST_FAILURES = 3;

/**
 * Guests, booted when they are needed. One serves every program of every subject that needs the same machine; one that has been
 * spoilt is replaced.
 */
export class Laboratory {
  readonly #modules: readonly GuestModule[];
  readonly #stop: AbortSignal | undefined;
  #guest: Guest | undefined;
  #watch: KernelWatch | undefined;
  #early = nothing;
  #builtFor = "";
  #loaded: readonly GuestModule[] = [];
  #last: SubjectDefinition | undefined;
  /** How often a guest was booted. */
  boots = 0;
  #failures = 0;
  /** Subjects that could not be set up. */
  readonly setUps = new SetUps();
  /** The law that programs are run for now; empty where none is. */
  law = "";
  /** The program that has run last on this guest, in words; undefined on a fresh one. */
  before: string | undefined;

  /**
   * @param modules what is loaded in every guest, before what its subject asks for
   * @param stop ends the guest, after which there are no others
   */
  constructor(modules: readonly GuestModule[] = [], stop?: AbortSignal) {
    this.#modules = modules;
    this.#stop = stop;
  }

  /**
   * A guest with what the subject needs.
   *
   * @throws ModuleRefused when a module cannot be loaded, or dies while it is
   * @throws GuestLost when the guest does not boot
   * @throws NoGuests when several in a row did not
   * @throws the reason of the stop, once that was asked for
   */
  async guestFor(subject: SubjectDefinition): Promise<Guest> {
    const kernel = kernelOf(subject);
    const modules = [...this.#modules, ...(subject.modules?.(kernel) ?? [])];
    const files = subject.files?.(kernel) ?? [];
    const { devices = [], kernelWords = [] } = subject;
    const needs = JSON.stringify([
      kernel.release,
      modules,
      files.map(({ path, contents }) => [path, contents?.length]),
      devices,
      kernelWords,
    ]);
    this.#last = subject;
    if (this.#guest !== undefined && this.#guest.lost === undefined && this.#builtFor === needs) {
      return this.#guest;
    }
    await this.discard();
    this.#stop?.throwIfAborted();
    const packed = modules.map(
      ({ file }): ArchiveEntry => ({ path: `${MODULES}/${basename(file)}`, contents: readFileSync(file) }),
    );
    try {
      const plan = { kernel, files: [...packed, ...files], devices, kernelWords, stop: this.#stop };
      const guest = await bootTwice(plan);
      this.boots++;
      this.#guest = guest;
      this.#builtFor = needs;
      this.#loaded = modules;
      this.#watch = new KernelWatch(guest);
      await loadModules(guest, modules);
      await showOnePageAFault(guest);
      this.#early = await this.#watch.listen();
      this.#failures = 0;
      return guest;
    } catch (failure) {
      throw this.#failed(failure);
    }
  }

  /** The guest that has served a subject last, where that was this one, and it can be used further. */
  guestLeftBy(subject: SubjectDefinition): Guest | undefined {
    return this.#last === subject && this.#guest?.lost === undefined ? this.#guest : undefined;
  }

  /** Loads what the subject needs again where a program has unloaded it; the guest's keeper must be there. */
  async loadAgain(subject: SubjectDefinition): Promise<void> {
    if (this.#guest === undefined || subject.module === undefined) return;
    await loadAgain(this.#guest, subject.module, this.#loaded);
  }

  /** What the kernel has said from the boot on until all modules were loaded; told once. */
  takeEarly(): Heard {
    const early = this.#early;
    this.#early = nothing;
    return early;
  }

  /** What the kernel has said since. */
  async listen(): Promise<Heard> {
    return (await this.#watch?.listen()) ?? nothing;
  }

  #failed(failure: unknown): unknown {
    if (!(failure instanceof GuestLost)) return failure;
    if (this.#stop?.aborted === true) return this.#stop.reason;
    this.#failures++;
    if (this.#failures < MOST_FAILURES) return failure;
    return new NoGuests(`${MOST_FAILURES} guests in a row do not come up: ${failure.message}`);
  }

  /** Ends the guest, where there is one; the next that is asked for is fresh. */
  async discard(): Promise<void> {
    const guest = this.#guest;
    this.#guest = undefined;
    this.#watch = undefined;
    this.#early = nothing;
    this.before = undefined;
    await guest?.end();
  }
}

/**
 * The kernel that a subject runs on.
 *
 * @throws Error where it is not installed, which `whyNoLab` tells beforehand
 */
export function kernelOf({ kernel: flavour = "cloud" }: SubjectDefinition): StockKernel {
  const kernel = findKernel(flavour);
  if (kernel === undefined) throw new Error(`there is no ${flavour} kernel`);
  return kernel;
}

/** Boots a guest; one that did not come up, on a machine that is busy with something else, is given a second chance. */
async function bootTwice(plan: GuestPlan): Promise<Guest> {
  try {
    return await Guest.boot(plan);
  } catch (failure) {
    if (!(failure instanceof GuestLost) || plan.stop?.aborted === true) throw failure;
    return await Guest.boot(plan);
  }
}

const FAULT_AROUND = "/sys/kernel/debug/fault_around_bytes";

/** A fault shows the page that was asked for and no others, as on the model, which has no `map_pages`. */
async function showOnePageAFault(guest: Guest): Promise<void> {
  await guest.startProcess(KEEPER);
  const written = await performAlone(guest, KEEPER, lab.writeFile(FAULT_AROUND, String(PAGE_BYTES)));
  if (written < 0) throw new Error(`${FAULT_AROUND} cannot be written: errno ${-written}`);
  await guest.reset();
}
