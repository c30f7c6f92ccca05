import type { Area, Backing, Fault, FollowRequest } from "@nopage/core";

/** What a hook was handed and may not change: each part in words, with its value at the moment. */
export type Handed = () => readonly (readonly [what: string, value: unknown])[];

export const nothing: Handed = () => [];

/** An area is the hook's to read, but for what the contract leaves to the mmap hook. */
export function areaAsHanded(area: Area): Handed {
  return () => [
    ["the area's start", area.start],
    ["the area's end", area.end],
    ["the area's mm", area.mm],
    ["the area's file", area.file],
  ];
}

export function backingAsHanded(backing: Backing): Handed {
  return () => {
    const { memory } = backing;
    const parts = memory.kind === "page-array" ? memory.list : Object.values(memory);
    return [
      ["the backing's memory", memory],
      ["the backing's pages", backing.pages],
      ["the backing's cache mode", backing.cache],
      ["the backing's mapping", backing.mapping],
      ...parts.map((part, index) => [`part ${index} of the backing's memory`, part] as const),
    ];
  };
}

/** A fault with its area, and with the flags that only the mmap hook may choose. */
export function faultAsHanded(fault: Fault): Handed {
  const area = areaAsHanded(fault.area);
  return () => [
    ["the fault's area", fault.area],
    ["the fault's address", fault.address],
    ["the fault's access", fault.access],
    ["the fault's gate", fault.gate],
    ["the area's flags", fault.area.flags],
    ["the area's pgoff", fault.area.pgoff],
    ...area(),
  ];
}

export function requestAsHanded(request: FollowRequest): Handed {
  return () => [
    ["the request's mm", request.mm],
    ["the number of its ranges", request.ranges.length],
    ...request.ranges.flatMap(
      ({ start, end }) =>
        [
          ["a range's start", start],
          ["a range's end", end],
        ] as const,
    ),
  ];
}

/** Both. */
export function together(...all: readonly Handed[]): Handed {
  return () => all.flatMap((handed) => handed());
}

/** Makes what a plugin says about itself constant in deed: who writes to it afterwards throws. */
export function freezeClaims(supports: object): void {
  for (const claim of Object.values(supports)) Object.freeze(claim);
  Object.freeze(supports);
}
