import { type IoDevice, type IoRange, type Machine, ObjectKind, PointAccess } from "@nopage/core";
import { markOf } from "./mark.ts";

/** A window of device registers that begin each page with its mark and keep what is stored. */
export interface MarkedWindow {
  readonly range: IoRange;
  /** From now on what touches the registers is noted in `trespasses`: the card is in the middle of a transfer. */
  forbid(): void;
  /** They may be touched again. */
  allow(): void;
  readonly trespasses: readonly string[];
  /** The first word of a page, as the card's own engine sees it. */
  peek(page: number): number;
  poke(page: number, value: number): void;
}

/** Claims a window of `pages` pages of I/O memory that carry the marks from `firstMark` on. */
export function claimMarkedWindow(machine: Machine, pages: number, firstMark = 0): MarkedWindow {
  const { pageSize } = machine.geometry;
  const stored = new Map<number, number>();
  const trespasses: string[] = [];
  let isForbidden = false;
  const touch = (verb: string, offset: number): void => {
    if (!isForbidden) return;
    const who = machine.sched.current?.name ?? "nobody";
    trespasses.push(`${who} ${verb} register 0x${offset.toString(16)}`);
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
  // The card's own engine touches what its registers show, in the step of whoever makes it do so.
  const note = (access: PointAccess): void =>
    machine.sched.note(ObjectKind.register, range.registerFile, access);
  return {
    range,
    forbid() {
      note(PointAccess.write);
      isForbidden = true;
    },
    allow() {
      note(PointAccess.write);
      isForbidden = false;
    },
    trespasses,
    peek(page) {
      note(PointAccess.read);
      return wordAt(page * pageSize);
    },
    poke(page, value) {
      note(PointAccess.write);
      stored.set(page * pageSize, value);
    },
  };
}
