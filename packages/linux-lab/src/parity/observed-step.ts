import { isTrap, type SmapsArea, type Trap } from "@nopage/core";
import { inWords, type RecordedStep } from "@nopage/testkit/executor";

/** One step of a program as far as two executors have to agree on it. */
export interface ObservedStep {
  readonly actor: string;
  readonly call: string;
  /** What it answered, with addresses and descriptors left out. */
  readonly outcome: string;
  /** The step in full, as its executor saw it. */
  readonly line: string;
}

/**
 * Operations of which the answer is not compared: counts of what a kernel does by itself, which no law states as such. A law
 * that counts faults or resident pages compares the numbers itself, and its verdict is compared.
 */
const notCompared = new Set(["faults", "memoryStatus", "smaps", "pagemap", "mincore", "subject.counts"]);

/** Operations that answer with a new descriptor, of which the number says nothing. */
const opening = new Set(["open", "memfd", "subject.open", "subject.openElsewhere"]);

/** Operations that answer with an address. */
const placing = new Set(["mmap", "mremap", "subject.map", "subject.mapOdd", "subject.long.map"]);

/** What is compared of a step; nothing of one in which only time has passed. */
export function observed(
  line: string,
  { actor, call, given, answer }: RecordedStep,
): readonly ObservedStep[] {
  if (call === "settle" || (call === "sleep" && answer === 0)) return [];
  return [{ actor, call, outcome: outcomeOf(call, given, answer), line }];
}

function outcomeOf(call: string, given: object, answer: unknown): string {
  if (answer === undefined) return "done";
  if (isTrap(answer)) return trapInWords(answer, given);
  if (call === "smaps") return areasInWords(answer as readonly SmapsArea[]);
  if (notCompared.has(call)) return typeof answer === "number" ? inWords(answer) : "not compared";
  if (typeof answer === "number" && answer >= 0) {
    if (opening.has(call)) return "a descriptor";
    if (placing.has(call)) return placeInWords(answer, given);
  }
  if (answer instanceof Uint8Array) return Buffer.from(answer).toString("hex");
  // What a pinner gives to know its memory by is its own.
  if (typeof answer === "object" && answer !== null && "pages" in answer)
    return `${inWords(answer.pages)} pages`;
  return inWords(answer);
}

/** An access is told where it trapped, seen from the address that it was asked for. */
function trapInWords(trap: Trap, given: object): string {
  const asked = "address" in given ? given.address : Object.values(given)[0];
  const where =
    typeof asked === "number" && trap.address !== asked ? `, ${trap.address - asked} bytes on` : "";
  return `${inWords(trap)}${where}`;
}

/** An address by what was asked for. */
function placeInWords(address: number, given: object): string {
  const asked = Object.entries(given).find(([, value]) => value === address);
  return asked === undefined ? "an address" : `the ${asked[0]} given`;
}

/** How many areas there are, and how long each is: where they lie is the kernel's affair. */
function areasInWords(areas: readonly SmapsArea[]): string {
  return Array.isArray(areas) ? `${areas.length} areas` : inWords(areas);
}
