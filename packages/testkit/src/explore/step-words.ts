import { describeChoice, describeObject, type Task } from "@nopage/core";

/** The number of an entry in its level, and of the level in its address space: see `Mm.entryId` of the core. */
const ENTRIES_A_LEVEL = 2 ** 36;
const LEVELS = 4;

/**
 * What a task is about to do, for people: locks and cells by their names, entries by the address that they are for. Tables
 * above the last level are left out.
 *
 * @param names of cells, by what a report calls them
 */
export function stepInWords(task: Task, names: ReadonlyMap<string, string>, pageSize: number): string {
  const { announcedObject, announcedAccess, alsoObjects, alsoAccesses, blockedOn, id } = task;
  const accesses = [announcedAccess, ...alsoAccesses];
  const parts = [announcedObject, ...alsoObjects].flatMap((object, index) => {
    const plain = describeObject(object);
    const isBlocking = index === 0 && blockedOn !== undefined;
    const name = isBlocking ? blockedOn.name : (names.get(plain) ?? entryInWords(plain, pageSize));
    if (name === "") return [];
    const words = describeChoice({ task: id, object, access: accesses[index] ?? 0, also: [] });
    return [name === undefined ? words : words.replace(plain, name)];
  });
  return parts.join(", ");
}

/** An entry as `entry of 0x7fffb000`; empty for one of a table above, undefined for what is no entry. */
function entryInWords(object: string, pageSize: number): string | undefined {
  const number = /^page-table entry (\d+)$/.exec(object)?.[1];
  if (number === undefined) return undefined;
  const level = Math.floor(Number(number) / ENTRIES_A_LEVEL) % LEVELS;
  if (level > 0) return "";
  return `entry of 0x${((Number(number) % ENTRIES_A_LEVEL) * pageSize).toString(16)}`;
}
