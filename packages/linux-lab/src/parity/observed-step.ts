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

/** A driver's counts of its hooks: how often Linux asks for the same again is its own affair, unless a law states it. */
const notCompared = new Set(["subject.counts"]);

/** Operations that answer with a new descriptor, of which the number says nothing. */
const opening = new Set(["open", "memfd", "subject.open", "subject.openElsewhere"]);

/** Operations that answer with an address. */
const placing = new Set(["mmap", "mremap", "subject.map", "subject.mapOdd", "subject.long.map"]);

/** Sees the steps of one run, and what is to be compared of them. */
export class StepObserver {
  readonly steps: ObservedStep[] = [];
  /** What was counted when somebody looked last. */
  readonly #counted = new Map<string, Readonly<Record<string, number>>>();

  /** One step more; nothing of one in which only time has passed. */
  note(line: string, { actor, call, given, answer }: RecordedStep): void {
    if (call === "settle" || (call === "sleep" && answer === 0)) return;
    const outcome =
      (call === "faults" || call === "memoryStatus") && typeof answer === "object" && answer !== null
        ? this.#since(`${actor} ${call}`, answer as Readonly<Record<string, number>>)
        : outcomeOf(call, given, answer);
    this.steps.push({ actor, call, outcome, line });
  }

  /** Counts as they have changed: where they begin depends on what else is in the process. */
  #since(key: string, counts: Readonly<Record<string, number>>): string {
    const before = this.#counted.get(key);
    this.#counted.set(key, counts);
    if (before === undefined) return "the first count";
    return inWords(
      Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count - (before[name] ?? 0)])),
    );
  }
}

function outcomeOf(call: string, given: object, answer: unknown): string {
  if (answer === undefined) return "done";
  if (isTrap(answer)) return trapInWords(answer, given);
  if (call === "smaps" && Array.isArray(answer)) return areasInWords(answer as readonly SmapsArea[]);
  if (notCompared.has(call)) return "not compared";
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

/** What addresses are asked for by: requests name them, and it is the second argument of `subject.long.map`. */
const places = new Set(["address", "newAddress", "1"]);

/** An address by what was asked for; a length may happen to be the same number. */
function placeInWords(address: number, given: object): string {
  const asked = Object.entries(given).find(([name, value]) => value === address && places.has(name));
  return asked === undefined ? "an address" : `the ${asked[0]} given`;
}

/** Flags by which a kernel keeps its own books. */
const BOOKS = ["mm"];

/** Areas from the lowest up, without where they lie: that is the kernel's affair. */
function areasInWords(areas: readonly SmapsArea[]): string {
  return areas
    .map(({ start, end, shared, rss, anonymous, locked, flags }) => {
      const asked = flags.filter((flag) => !BOOKS.includes(flag)).join(" ");
      const counts = `${rss} counted, ${anonymous} of its own, ${locked} locked`;
      return `${end - start} bytes ${shared ? "shared" : "private"}: ${asked}; ${counts}`;
    })
    .join(" | ");
}
