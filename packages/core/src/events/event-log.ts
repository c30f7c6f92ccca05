import type { VirtualNs } from "../contract/units.ts";
import { type EventName, eventFields, eventNames } from "./events.ts";

/** One thing that happened: who did it, when, which operation, on what. */
export interface LoggedEvent {
  /** Position in the log, from 0. */
  readonly index: number;
  readonly time: VirtualNs;
  /** The id of the task, or -1 outside of any. */
  readonly task: number;
  readonly name: EventName;
  /** The operation's own fields by name, in the unit that the name says. */
  readonly fields: Readonly<Record<string, number>>;
}

const WIDTH = 6;

/** What a log that is off has recorded. */
const nothing = new Float64Array(0);

/**
 * Everything that happened in a run, in order: what the sanitizers, the replay and the traces read. Kept in one
 * typed array, so that recording allocates nothing and two runs can be compared byte by byte.
 */
export class EventLog {
  readonly enabled: boolean;
  #data: Float64Array;
  #length = 0;
  readonly #now: () => VirtualNs;
  readonly #task: () => number;

  constructor(enabled: "on" | "off", now: () => VirtualNs, task: () => number) {
    this.enabled = enabled === "on";
    this.#data = this.enabled ? new Float64Array(WIDTH * 1024) : nothing;
    this.#now = now;
    this.#task = task;
  }

  /** Events recorded. */
  get length(): number {
    return this.#length;
  }

  /** Records one event with up to three fields, in the order that `eventFields` gives. */
  record(name: EventName, first = 0, second = 0, third = 0): void {
    if (!this.enabled) return;
    const at = this.#length * WIDTH;
    if (at === this.#data.length) {
      const larger = new Float64Array(this.#data.length * 2);
      larger.set(this.#data);
      this.#data = larger;
    }
    const data = this.#data;
    data[at] = this.#now();
    data[at + 1] = this.#task();
    data[at + 2] = eventNames.indexOf(name);
    data[at + 3] = first;
    data[at + 4] = second;
    data[at + 5] = third;
    this.#length++;
  }

  /** The events `[from, to)`. */
  *events(from = 0, to = this.#length): IterableIterator<LoggedEvent> {
    for (let index = from; index < Math.min(to, this.#length); index++) {
      const at = index * WIDTH;
      const name = eventNames[this.#data[at + 2]];
      const fields: Record<string, number> = {};
      eventFields[name].forEach((field, offset) => {
        fields[field] = this.#data[at + 3 + offset];
      });
      yield { index, time: this.#data[at], task: this.#data[at + 1], name, fields };
    }
  }

  /** The log as bytes: equal for equal runs. */
  bytes(): Uint8Array {
    return new Uint8Array(this.#data.buffer, 0, this.#length * WIDTH * 8).slice();
  }
}
