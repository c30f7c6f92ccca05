import type { Area, Machine, UserThread } from "@nopage/core";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";

/** What the reverse map knows an object by. */
export type ShownObject = NonNullable<Area["mapping"]>;

/** The area at an address of a thread's process. */
export function areaAt({ mm }: UserThread, address: number): Area {
  const area = mm.areas.find(address);
  if (area === undefined) throw new Error(`nothing is mapped at 0x${address.toString(16)}`);
  return area;
}

/** The object that the calling process shows at an address. */
export function* objectAt(address: number): Steps<ShownObject> {
  return yield* user.kernel(function* ({ thread }) {
    const { mapping } = areaAt(thread, address);
    if (mapping === undefined) throw new Error(`the memory at 0x${address.toString(16)} is anonymous`);
    return mapping;
  });
}

/** Entries that show the object at present, in the page tables of all processes, private copies included. */
export function entriesShowing({ mms }: Machine, object: ShownObject): number {
  let entries = 0;
  for (const mm of mms) {
    for (const area of mm.areas.all()) {
      if (area.mapping !== object) continue;
      for (let address: number = area.start; address < area.end; address += mm.pageSize) {
        if (mm.table.entryOf(address / mm.pageSize) !== 0) entries++;
      }
    }
  }
  return entries;
}

/** The same in one step of a program. */
export function* countEntries(object: ShownObject): Steps<number> {
  return yield* user.kernel(function* ({ machine }) {
    return entriesShowing(machine, object);
  });
}
