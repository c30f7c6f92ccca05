import type { Guest } from "../guest/guest.ts";
import { type Complaint, complaintsIn, isFatal, linesOf } from "../guest/kernel-log.ts";
import { newTaints, type Taint } from "../guest/taint.ts";

/** What was heard of the kernel since the last time. */
export interface Heard {
  /** What it complains of in its log, and what it remembers without having said it. */
  readonly complaints: readonly Complaint[];
  /** Whether the kernel is not what it was, so that its guest is of no use any more. */
  readonly kernel: "fit" | "spoilt";
}

/** Lines of the log that are shown where none is known to be a complaint. */
const MOST_LINES = 40;

/**
 * Listens to a guest's kernel, from its boot on: to its log, and to what it remembers in `/proc/sys/kernel/tainted`, so that a
 * mistake is noticed whatever words the kernel has for it. Nothing is heard twice, and nothing is missed.
 */
export class KernelWatch {
  readonly #guest: Pick<Guest, "log" | "settleLog">;
  #heard = 0;
  #taint = 0;

  constructor(guest: Pick<Guest, "log" | "settleLog">) {
    this.#guest = guest;
  }

  /** What came since the last time; of a guest that does not answer any more, as far as its log has arrived. */
  async listen(): Promise<Heard> {
    const before = this.#taint;
    try {
      this.#taint = await this.#guest.settleLog();
    } catch {
      // Whoever uses the guest finds out that it is lost.
    }
    const said = this.#guest.log.slice(this.#heard);
    this.#heard = this.#guest.log.length;
    return heard(said, newTaints(before, this.#taint));
  }
}

/** What a piece of the log and the mistakes that the kernel has remembered meanwhile amount to. */
export function heard(said: string, taints: readonly Taint[]): Heard {
  const complaints = complaintsIn(said);
  const isTold = ({ letter }: Taint): boolean =>
    letter === "W" ? complaints.length > 0 : complaints.some(isFatal);
  const untold = taints.filter((taint) => !isTold(taint)).map((taint) => unsaid(taint, said));
  const isSpoilt = complaints.some(isFatal) || taints.some(({ letter }) => letter !== "W");
  return { complaints: [...complaints, ...untold], kernel: isSpoilt ? "spoilt" : "fit" };
}

function unsaid({ letter, what }: Taint, said: string): Complaint {
  const kind = letter === "W" ? "WARNING" : "BUG";
  const line = `${kind}: the kernel remembers ${what} (tainted ${letter}), and nothing in its log is known to tell of it`;
  const last = linesOf(said.trimEnd()).slice(-MOST_LINES);
  return { what: line, lines: [line, ...last] };
}
