import type { Machine } from "../machine.ts";

/** What a machine holds at one moment, as far as somebody has to give it back. */
export interface Stock {
  /** Frames handed out, by owner. */
  readonly frames: ReadonlyMap<string, number>;
  readonly pageTables: number;
  /** Files open or mapped, by the name of their inode. */
  readonly openFiles: ReadonlyMap<string, number>;
  /** Address spaces not taken down, by name. */
  readonly addressSpaces: ReadonlyMap<string, number>;
  /** Users of modules, by the module's name. */
  readonly moduleUses: ReadonlyMap<string, number>;
  /** Modules not unloaded. */
  readonly modules: ReadonlyMap<string, number>;
  /** Names in /dev. */
  readonly devices: ReadonlyMap<string, number>;
  /** PCI functions plugged in, by name. */
  readonly pciFunctions: ReadonlyMap<string, number>;
}

/** Looks at what a machine holds now. */
export function takeStock(machine: Machine): Stock {
  const { devices, memory, mms, pci, tables } = machine;
  const loaded = devices.modules.filter((module) => module.isLoaded);
  return {
    frames: memory.frames.inUseByOwner(),
    pageTables: tables.tablesInUse,
    openFiles: countNames([...devices.openFiles].map(({ inode }) => inode.name)),
    addressSpaces: countNames([...mms].map(({ name }) => name)),
    moduleUses: new Map(devices.modules.filter(({ uses }) => uses > 0).map(({ name, uses }) => [name, uses])),
    modules: countNames(loaded.map(({ name }) => name)),
    devices: countNames(devices.paths()),
    pciFunctions: countNames(pci.functions().map(({ shape }) => shape.name)),
  };
}

function countNames(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
