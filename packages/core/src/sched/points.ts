import type { Point, Sleep } from "../contract/execution.ts";

/** The one value that announces a point; what it is about stands in the task's announcement. */
export const POINT: Point = { step: "point" };

/** The one value that gives up the CPU; what is waited for stands in the task. */
export const SLEEP: Sleep = { step: "sleep" };

/**
 * How a task is about to touch an object. Two steps of different tasks depend on each other when they touch the same
 * object and the pair conflicts (`conflicts`).
 */
export const Access = {
  /** Reads the object. */
  read: 1,
  /** Writes it. */
  write: 2,
  /** Adds to a counter without looking at the result: commutes with itself. */
  countUp: 3,
  /** Takes from a counter and looks whether it reached zero. */
  countDown: 4,
  /** Takes a lock alone; possible only while nobody holds it. */
  lock: 5,
  /** Takes a lock together with other readers; possible only while no writer holds it. */
  lockShared: 6,
  /** Gives a lock back that was held alone. */
  unlock: 7,
  /** Queues up to be woken. */
  wait: 8,
  /** Wakes those who wait. */
  wake: 9,
  /** Gives back a lock that was held together with other readers, for whom this changes nothing. */
  unlockShared: 10,
} as const;

export type Access = (typeof Access)[keyof typeof Access];

/** The word for an access, for reports. */
export const accessNames: readonly string[] = [
  "start",
  "read",
  "write",
  "count up",
  "count down",
  "lock",
  "lock shared",
  "unlock",
  "wait on",
  "wake",
  "unlock shared",
];

/** By access, the bit set of accesses that conflict with it on the same object. */
const conflicting = new Int32Array(accessNames.length).fill(-1);
for (const [access, commutes] of [
  [Access.read, [Access.read]],
  [Access.countUp, [Access.countUp]],
  [Access.lockShared, [Access.lockShared, Access.unlockShared]],
  [Access.unlockShared, [Access.lockShared, Access.unlockShared]],
  [Access.wait, [Access.wait]],
] as const) {
  for (const other of commutes) conflicting[access] &= ~(1 << other);
}

/**
 * Whether two accesses of one object by different tasks may not be swapped. They are given as numbers, as announcements
 * carry them; 0 is the start of a task.
 */
export function conflicts(one: number, other: number): boolean {
  return ((conflicting[one] as number) & (1 << other)) !== 0;
}

/**
 * What kind of thing an announced object is. An object's identity is its kind and a number that is unique within
 * the kind and given in a fixed order, so that the same run names the same objects.
 *
 * - `pageTableEntry`: one entry of one level of one page table; see `Mm.entryId`
 * - `frameCounts`: what `struct page` says: its counts and its flags; of a compound page, what the head's says
 * - `allocator`: what decides what is given next: see `Allocator`
 * - `slot`: one place of a table of a machine, such as a descriptor; see `slotIndex`
 */
export const ObjectKind = {
  task: 0,
  lock: 1,
  cell: 2,
  pageTableEntry: 3,
  tlb: 4,
  frameCounts: 5,
  frameContents: 6,
  register: 7,
  waitQueue: 8,
  gate: 9,
  area: 10,
  signal: 11,
  allocator: 12,
  slot: 13,
} as const;

export type ObjectKind = (typeof ObjectKind)[keyof typeof ObjectKind];

/** The word for an object kind, for reports. */
const objectKindNames: readonly string[] = [
  "task",
  "lock",
  "cell",
  "page-table entry",
  "TLB",
  "counts of frame",
  "contents of frame",
  "register",
  "wait queue",
  "gate",
  "area",
  "signals of task",
  "allocator",
  "slot",
];

/** The index of each object of kind `allocator`, by what it gives; the caches of kmalloc follow after the last. */
export const Allocator = {
  frame: 0,
  task: 1,
  addressSpace: 2,
  /** Numbers of locks, cells and queues. */
  object: 3,
  /** Which allocation fails, where failures are injected. */
  failure: 4,
  /** Addresses and entries of the vmalloc area. */
  vmalloc: 5,
  /** Windows of devices. */
  window: 6,
  /** Buffers of coherent memory. */
  coherent: 7,
  kmalloc: 8,
} as const;

/** Places of a table are told apart up to this many; those that lie as many apart count as one. */
const SLOTS_A_TABLE = 2 ** 20;

/** The index of one place of a table that has a number of its own (`Scheduler.nextObject`). */
export function slotIndex(table: number, place: number): number {
  return table * SLOTS_A_TABLE + (place % SLOTS_A_TABLE);
}

/** Numbers of objects lie below this, so that kind and number together stay an exact integer. */
const KIND_UNIT = 2 ** 49;

/** An object's identity as one number; `index` is a whole number in `[0, 2^49)`. */
export function objectId(kind: ObjectKind, index: number): number {
  return kind * KIND_UNIT + index;
}

/** An identity in words, such as `lock 3`. */
export function describeObject(id: number): string {
  const kind = Math.floor(id / KIND_UNIT);
  return `${objectKindNames[kind] ?? "object"} ${id - kind * KIND_UNIT}`;
}
