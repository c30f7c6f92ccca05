import type { PageTable } from "./page-table.ts";
import { PTE_LARGE, PTE_PFN_UNIT, type Pte } from "./pte.ts";

/** One table of a page table, with the virtual page that its first entry belongs to. */
export interface VisitedTable {
  readonly table: number;
  readonly level: number;
  readonly startVpn: number;
}

/** One entry that maps memory: of level 0, or a large leaf. */
export interface VisitedEntry {
  readonly vpn: number;
  readonly level: number;
  readonly entry: Pte;
}

/** Every table of a page table, the root first: for checks and dumps, not for the machine itself. */
export function* visitTables(pageTable: PageTable): IterableIterator<VisitedTable> {
  const { pool, geometry } = pageTable;
  const top = geometry.bitsPerLevel.length - 1;
  const waiting: VisitedTable[] = [{ table: pageTable.root, level: top, startVpn: 0 }];
  for (let visited = waiting.pop(); visited !== undefined; visited = waiting.pop()) {
    yield visited;
    const { table, level, startVpn } = visited;
    if (level === 0 || pool.live[table] === 0) continue;
    const first = waiting.length;
    for (let index = 0; index < 2 ** (geometry.bitsPerLevel[level] as number); index++) {
      const entry = pool.read((table << pool.entryBits) | index);
      if (entry === 0 || (entry & PTE_LARGE) !== 0) continue;
      const below = startVpn + index * pageTable.pagesAt(level);
      waiting.push({ table: Math.floor(entry / PTE_PFN_UNIT), level: level - 1, startVpn: below });
    }
    waiting.splice(first, waiting.length - first, ...waiting.slice(first).reverse());
  }
}

/** Every entry that maps memory, in order of address. */
export function* visitEntries(pageTable: PageTable): IterableIterator<VisitedEntry> {
  const found: VisitedEntry[] = [];
  const { pool, geometry } = pageTable;
  for (const { table, level, startVpn } of visitTables(pageTable)) {
    if (pool.live[table] === 0) continue;
    for (let index = 0; index < 2 ** (geometry.bitsPerLevel[level] as number); index++) {
      const entry = pool.read((table << pool.entryBits) | index);
      if (entry === 0 || (level > 0 && (entry & PTE_LARGE) === 0)) continue;
      found.push({ vpn: startVpn + index * pageTable.pagesAt(level), level, entry });
    }
  }
  yield* found.sort((one, other) => one.vpn - other.vpn);
}
