import { basename } from "node:path";
import { lab } from "../execute/lab-calls.ts";
import { performAlone } from "../execute/perform-alone.ts";
import { type Guest, GuestLost } from "../guest/guest.ts";
import { complaintsIn } from "../guest/kernel-log.ts";
import type { GuestModule } from "../subject/lab-subject.ts";
import { KEEPER } from "./keeper.ts";

/** Where modules lie in the guest. */
export const MODULES = "modules";

/** What the kernel answers for a module that is loaded already. */
const EEXIST = 17;

/** A module cannot be loaded in the guest. */
export class ModuleRefused extends Error {
  override readonly name = "ModuleRefused";
  /** The module, on this machine. */
  readonly file: string;
  /** What the kernel answers, and the end of its log. */
  readonly why: string;

  constructor(file: string, why: string) {
    super(`${file} cannot be loaded: ${why}`);
    this.file = file;
    this.why = why;
  }
}

/**
 * Loads modules into a guest that was booted with them, in this order.
 *
 * @throws ModuleRefused also for one that dies of an oops while it is loaded
 */
export async function loadModules(guest: Guest, modules: readonly GuestModule[]): Promise<void> {
  if (modules.length === 0) return;
  await guest.startProcess(KEEPER);
  for (const module of modules) {
    const result = await loaded(guest, module);
    if (result === 0) continue;
    const tail = guest.log.trimEnd().split("\n").slice(-5).join("\n");
    throw new ModuleRefused(module.file, `errno ${-result}\n${tail}`);
  }
  await guest.reset();
}

async function loaded(guest: Guest, module: GuestModule): Promise<number> {
  try {
    return await insert(guest, module);
  } catch (failure) {
    if (!(failure instanceof GuestLost) || guest.lost !== undefined) throw failure;
    await guest.settleLog();
    const complaints = complaintsIn(guest.log).flatMap(({ lines }) => lines);
    throw new ModuleRefused(module.file, [failure.message, ...complaints].join("\n"));
  }
}

/**
 * Loads the modules of a guest again of which this one was unloaded; its keeper must be there.
 *
 * @throws Error for one that cannot be loaded any more
 */
export async function loadAgain(guest: Guest, name: string, modules: readonly GuestModule[]): Promise<void> {
  const count = await performAlone(guest, KEEPER, lab.readFile(`/sys/module/${name}/refcnt`));
  if (typeof count === "string") return;
  for (const module of modules) {
    const result = await insert(guest, module);
    if (result === 0 || result === -EEXIST) continue;
    throw new Error(`${basename(module.file)}, which was unloaded, cannot be loaded again: errno ${-result}`);
  }
}

function insert(guest: Guest, { file, parameters = "" }: GuestModule): Promise<number> {
  return performAlone(guest, KEEPER, lab.insertModule(`/${MODULES}/${basename(file)}`, parameters));
}
