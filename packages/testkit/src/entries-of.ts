import type { Area, Machine } from "@nopage/core";
import type { TestDevice } from "./test-device.ts";

/**
 * The entries that show a device at present, in the page tables of all processes: of areas that the reverse map knows,
 * of areas that it should know, and of those whose mmap has only begun.
 */
export function entriesOf(machine: Machine, { binding }: TestDevice): number {
  const { mapping } = binding.backing;
  const areas = new Set<Area>(mapping.areasShowing(0, Number.MAX_SAFE_INTEGER));
  for (const mm of machine.mms) {
    for (const area of mm.areas.all()) if (area.mapping === mapping) areas.add(area);
  }
  const { pageSize } = machine.geometry;
  let entries = 0;
  for (const { mm, start, end } of areas) {
    for (let address: number = start; address < end; address += pageSize) {
      if (mm.table.entryOf(address / pageSize) !== 0) entries++;
    }
  }
  return entries;
}
