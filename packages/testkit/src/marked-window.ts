import type { IoDevice, IoRange, Machine } from "@nopage/core";
import { markOf } from "./mark.ts";

/** A window of device registers that begin each page with its mark and keep what is stored. */
export interface MarkedWindow {
  readonly range: IoRange;
  /**
   * Whether the registers may be touched at present. What touches them while not is noted in `trespasses`: the model of
   * a card that is in the middle of a transfer.
   */
  access: "allowed" | "forbidden";
  readonly trespasses: string[];
  /** The first word of a page, as the card's own engine sees it. */
  peek(page: number): number;
  poke(page: number, value: number): void;
}

/** Claims a window of `pages` pages of I/O memory that carry the marks from `firstMark` on. */
export function claimMarkedWindow(machine: Machine, pages: number, firstMark = 0): MarkedWindow {
  const { pageSize } = machine.geometry;
  const stored = new Map<number, number>();
  const touch = (verb: string, offset: number): void => {
    if (marked.access === "allowed") return;
    const who = machine.sched.current?.name ?? "nobody";
    marked.trespasses.push(`${who} ${verb} register 0x${offset.toString(16)}`);
  };
  const wordAt = (offset: number): number => {
    const mark = offset % pageSize === 0 ? markOf(firstMark + offset / pageSize) : 0;
    return stored.get(offset) ?? mark;
  };
  const device: IoDevice = {
    read(offset) {
      touch("reads", offset);
      return wordAt(offset);
    },
    write(offset, _width, value) {
      touch("writes", offset);
      stored.set(offset, value);
    },
  };
  const range = machine.memory.io.claim("marked window", pages, device);
  if (typeof range === "number") throw new Error(`no room for a window of ${pages} pages: ${range}`);
  const marked: MarkedWindow = {
    range,
    access: "allowed",
    trespasses: [],
    peek: (page) => wordAt(page * pageSize),
    poke: (page, value) => void stored.set(page * pageSize, value),
  };
  return marked;
}
