import type { Area, Backing, Fault, FollowRequest } from "@nopage/core";

/**
 * What a hook was handed and may not change: adds each part in words, followed by its value at the moment. A flat list, as
 * a hook's every step is looked at.
 */
export type Handed = (parts: unknown[]) => void;

export const nothing: Handed = () => {};

/** An area is the hook's to read, but for what the contract leaves to the mmap hook. */
export function areaAsHanded(area: Area): Handed {
  return (parts) => {
    parts.push("the area's start", area.start, "the area's end", area.end);
    parts.push("the area's mm", area.mm, "the area's file", area.file);
  };
}

/** Every backing that a plugin was ever handed: it may know it, and reach it, in each of its hooks. */
export function backingsAsHanded(backings: ReadonlySet<Backing>): Handed {
  return (parts) => {
    for (const backing of backings) addBacking(parts, backing);
  };
}

function addBacking(parts: unknown[], backing: Backing): void {
  const { memory } = backing;
  parts.push("the backing's memory", memory, "the backing's pages", backing.pages);
  parts.push("the backing's cache mode", backing.cache, "the backing's mapping", backing.mapping);
  parts.push("the number of the fields of the backing's memory", Object.keys(memory).length);
  // Before what is in the list, so that who adds a part or takes one away is told so, and not that it changed those behind it.
  const list = memory.kind === "page-array" ? memory.list : Object.values(memory);
  parts.push("the number of parts of the backing's memory", list.length);
  for (let index = 0; index < list.length; index++) parts.push(partName(index), list[index]);
}

const partNames: string[] = [];

/** Made once for each index. */
function partName(index: number): string {
  const known = partNames[index];
  if (known !== undefined) return known;
  const name = `part ${index} of the backing's memory`;
  partNames[index] = name;
  return name;
}

/** A fault with its area, and with the flags that only the mmap hook may choose. */
export function faultAsHanded(fault: Fault): Handed {
  const area = areaAsHanded(fault.area);
  return (parts) => {
    parts.push("the fault's area", fault.area, "the fault's address", fault.address);
    parts.push("the fault's access", fault.access, "the fault's gate", fault.gate);
    parts.push("the area's flags", fault.area.flags, "the area's pgoff", fault.area.pgoff);
    area(parts);
  };
}

export function requestAsHanded(request: FollowRequest): Handed {
  return (parts) => {
    parts.push("the request's mm", request.mm, "the number of its ranges", request.ranges.length);
    for (const { start, end } of request.ranges) parts.push("a range's start", start, "a range's end", end);
  };
}

/** Both. */
export function together(one: Handed, other: Handed): Handed {
  return (parts) => {
    one(parts);
    other(parts);
  };
}

const constant = new WeakSet();

/** Makes what a plugin says about itself constant in deed: who writes to it afterwards throws. */
export function freezeClaims(supports: object): void {
  if (constant.has(supports)) return;
  constant.add(supports);
  for (const claim of Object.values(supports)) Object.freeze(claim);
  Object.freeze(supports);
}
