import type { Page } from "../contract/units.ts";
import type { Machine } from "../machine.ts";
import { PG_anon_exclusive } from "../memory/page-flags.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import type { Mm } from "../mm/mm.ts";
import { PTE_READ, PTE_WRITE, ptePfn } from "../mmu/pte.ts";
import { visitEntries, visitTables } from "../mmu/table-walk.ts";
import { checkAreas, checkReverseMap, type Say } from "./check-areas.ts";
import { checkEntries } from "./check-entries.ts";

/**
 * Whether everything that the machine knows twice agrees: areas and totals, reverse maps, page tables, counts of
 * pages, TLBs, tables in use, files. For a machine at rest: between two system calls, or after a run.
 *
 * @returns a sentence for every disagreement
 */
export function checkMachine(machine: Machine): readonly string[] {
  const found: string[] = [];
  const say: Say = (sentence) => found.push(sentence);
  const mappings = new Map<Page, number>();
  const ghosts = new Map<Page, number>();
  const spaces = new Set<AddressSpace>(machine.devices.addressSpaces());
  for (const mm of machine.mms) {
    checkAreas(mm, say);
    checkEntries(mm, mm.isGhost ? ghosts : mappings, say);
    for (const { mapping } of mm.areas.all()) if (mapping !== undefined) spaces.add(mapping);
  }
  for (const space of spaces) checkReverseMap(space, say);
  checkFrames(machine, { mappings, ghosts }, say);
  checkTlbs(machine, say);
  checkTables(machine, say);
  checkFiles(machine, say);
  return found;
}

/** By page, the entries that map it: in address spaces that somebody runs in, and in others. */
interface Mapped {
  readonly mappings: ReadonlyMap<Page, number>;
  readonly ghosts: ReadonlyMap<Page, number>;
}

function checkFrames(machine: Machine, { mappings, ghosts }: Mapped, say: Say): void {
  const { frames } = machine.memory;
  const held = new Map<Page, number>();
  for (let at = 0; at < frames.count; at++) {
    const page = at as Page;
    const usable = mappings.get(page) ?? 0;
    const mapped = usable + (ghosts.get(page) ?? 0);
    if (frames.mapcount[page] !== mapped) {
      say(`${frames.describe(page)} counts ${frames.mapcount[page]} mappings, but ${mapped} entries map it`);
    }
    // No store goes through a ghost's entry, so that it takes no part in copy on write.
    if (usable > 1 && frames.hasFlags(page, PG_anon_exclusive)) {
      say(`${frames.describe(page)} belongs to one mapping alone, but ${usable} entries map it`);
    }
    if (mapped > 0) held.set(frames.headOf(page), (held.get(frames.headOf(page)) ?? 0) + mapped);
    const isFree = !frames.isAllocated(page);
    if (isFree && (frames.refcount[page] > 0 || frames.pincount[page] > 0)) {
      say(`${frames.describe(page)} is free but held`);
    }
  }
  for (const [page, mapped] of held) {
    if (frames.refcount[page] < mapped + frames.pincount[page]) {
      say(`${frames.describe(page)} has fewer references than its ${mapped} mappings and its pins need`);
    }
  }
}

/** A translation may be weaker than its entry, never stronger; while a flush is under way nothing is said. */
function checkTlbs(machine: Machine, say: Say): void {
  const byId = new Map([...machine.mms].map((mm): [number, Mm] => [mm.id, mm]));
  machine.tlbs.forEach((tlb, cpu) => {
    if (tlb.space === 0) return;
    const mm = byId.get(tlb.space);
    if (mm === undefined) {
      say(`the TLB of CPU ${cpu} serves address space ${tlb.space}, which is gone`);
      return;
    }
    if (mm.flushesPending > 0) return;
    if ((mm.cpus & (1 << cpu)) === 0) say(`the TLB of CPU ${cpu} serves ${mm.name}, which does not know it`);
    for (const { pageBase, entry } of tlb.cached()) {
      const now = mm.table.entryOf(pageBase * mm.perPage);
      const rights = PTE_READ | PTE_WRITE;
      if (now === 0 || ptePfn(now) !== ptePfn(entry) || (entry & rights & ~now) !== 0) {
        say(`the TLB of CPU ${cpu} has a stale translation of 0x${pageBase.toString(16)} in ${mm.name}`);
      }
    }
  });
}

function checkTables(machine: Machine, say: Say): void {
  const { tables } = machine;
  let reached = 0;
  for (const pageTable of [machine.kernelTable, ...[...machine.mms].map(({ table }) => table)]) {
    let needed = 0;
    for (const { level } of visitEntries(pageTable)) needed += pageTable.tablesBelow(level);
    if (pageTable.deposited !== needed) {
      say(`${pageTable.deposited} tables are deposited for large leaves that need ${needed}`);
    }
    for (const { table, level } of visitTables(pageTable)) {
      reached++;
      let live = 0;
      for (let index = 0; index < 2 ** (machine.geometry.bitsPerLevel[level] as number); index++) {
        if (tables.read((table << tables.entryBits) | index) !== 0) live++;
      }
      if (tables.live[table] !== live) {
        say(`table ${table} has ${live} entries in use but counts ${tables.live[table]}`);
      }
    }
  }
  if (reached !== tables.tablesInUse) {
    say(`${reached} tables can be reached, but ${tables.tablesInUse} are in use`);
  }
}

/** Whether each file is held at least as often as areas show it. */
function checkFiles(machine: Machine, say: Say): void {
  const shown = new Map<unknown, number>();
  for (const mm of machine.mms) {
    for (const { file } of mm.areas.all())
      if (file !== undefined) shown.set(file, (shown.get(file) ?? 0) + 1);
  }
  for (const [file, areas] of shown) {
    const open = [...machine.devices.openFiles].find((other) => other === file);
    if (open === undefined) say(`${areas} areas show a file that is not open`);
    else if (open.references < areas) {
      say(`${open.inode.name} is shown by ${areas} areas but held ${open.references} times`);
    }
  }
}
