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
  /** The word of the register at `offset`, as the driver's own loads get it: while they are forbidden, a trespass. */
  read(offset: number): number;
  write(offset: number, value: number): void;
}

/** Bytes of a register. */
export const REGISTER_BYTES = 4;

/** Claims a window of `pages` pages of I/O memory that carry the marks from `firstMark` on. */
export function claimMarkedWindow(machine: Machine, pages: number, firstMark = 0): MarkedWindow {
  const device = new MarkedRegisters(machine, firstMark);
  const range = machine.memory.io.claim("marked window", pages, device);
  if (typeof range === "number") throw new Error(`no room for a window of ${pages} pages: ${range}`);
  return new ClaimedWindow(machine, range, device);
}

/** The registers, as accesses of the bus meet them. */
class MarkedRegisters implements IoDevice {
  readonly trespasses: string[] = [];
  isForbidden = false;
  readonly #machine: Machine;
  readonly #firstMark: number;
  readonly #stored = new Map<number, number>();

  constructor(machine: Machine, firstMark: number) {
    this.#machine = machine;
    this.#firstMark = firstMark;
  }

  read(offset: number): number {
    this.#touch("reads", offset);
    return this.wordAt(offset);
  }

  write(offset: number, _width: number, value: number): void {
    this.#touch("writes", offset);
    this.store(offset, value);
  }

  wordAt(offset: number): number {
    const { pageSize } = this.#machine.geometry;
    const mark = offset % pageSize === 0 ? markOf(this.#firstMark + offset / pageSize) : 0;
    return this.#stored.get(offset) ?? mark;
  }

  store(offset: number, value: number): void {
    this.#stored.set(offset, value);
  }

  #touch(verb: string, offset: number): void {
    if (!this.isForbidden) return;
    const who = this.#machine.sched.current?.name ?? "nobody";
    this.trespasses.push(`${who} ${verb} register 0x${offset.toString(16)}`);
  }
}

/** The window with the card's own engine, which touches what its registers show in the step of whoever makes it do so. */
class ClaimedWindow implements MarkedWindow {
  readonly range: IoRange;
  readonly #machine: Machine;
  readonly #registers: MarkedRegisters;

  constructor(machine: Machine, range: IoRange, registers: MarkedRegisters) {
    this.#machine = machine;
    this.range = range;
    this.#registers = registers;
  }

  get trespasses(): readonly string[] {
    return this.#registers.trespasses;
  }

  forbid(): void {
    this.#note(PointAccess.write);
    this.#registers.isForbidden = true;
  }

  allow(): void {
    this.#note(PointAccess.write);
    this.#registers.isForbidden = false;
  }

  peek(page: number): number {
    this.#note(PointAccess.read);
    return this.#registers.wordAt(page * this.#machine.geometry.pageSize);
  }

  poke(page: number, value: number): void {
    this.#note(PointAccess.write);
    this.#registers.store(page * this.#machine.geometry.pageSize, value);
  }

  read(offset: number): number {
    this.#note(PointAccess.write);
    return this.#registers.read(offset);
  }

  write(offset: number, value: number): void {
    this.#note(PointAccess.write);
    this.#registers.write(offset, REGISTER_BYTES, value);
  }

  #note(access: PointAccess): void {
    this.#machine.sched.note(ObjectKind.register, this.range.registerFile, access);
  }
}
