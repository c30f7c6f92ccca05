import { migratePage, oomReap, VM_READ } from "@nopage/core";
import { mustBe, succeed } from "../../program/expect.ts";
import type { Inside } from "../../program/kernel-call.ts";
import { user } from "../../program/user.ts";
import type { LawCase } from "../law.ts";
import { privateMemory } from "../support/private-memory.ts";
import { record } from "../support/recorder.ts";

/** The bits of an entry that let loads and stores through. */
const RIGHTS = 0x6;

/** Everything that takes an entry away or narrows it, in a process that maps the subject and that somebody follows. */
export const coverageCase: LawCase = {
  when: "everything that takes entries away",
  schedule: "sequential",
  executor: "model",
  machine: { eventLog: "on" },
  *program({ subject }) {
    const { pageSize } = subject;
    const shown = yield* succeed("mmap", subject.map());
    for (let page = 0; page < subject.pages; page++) yield* user.load(shown + page * pageSize);
    const own = yield* privateMemory(pageSize, [1, 2, 3, 4, 5, 6]);
    const recorder = yield* record();
    const from = yield* user.kernel(logLength);
    const child = yield* user.fork(function* () {});
    yield* user.store(own, 7);
    if (typeof child === "object") yield* user.join(child);
    yield* user.madvise(own + pageSize, pageSize, "dontneed");
    yield* user.mprotect(own, pageSize, VM_READ);
    yield* user.mprotect(shown, pageSize, VM_READ);
    yield* user.kernel(({ thread }) => migratePage(thread.mm, own + 2 * pageSize));
    const size = { oldLength: pageSize, newLength: pageSize, newAddress: 0x1000_0000 };
    yield* user.mremap({ address: own + 3 * pageSize, ...size, moving: "may-move" });
    yield* user.munmap(own + 4 * pageSize, pageSize);
    yield* user.kernel(({ thread }) => oomReap(thread.mm));
    if (subject.gate !== undefined) {
      yield* subject.gate.close();
      yield* subject.gate.open();
    }
    yield* user.load(shown);
    yield* user.munmap(shown, subject.pages * pageSize);
    mustBe("what goes or narrows unheard of", yield* user.kernel((inside) => unheard(inside, from)), []);
    mustBe("the number of ends", recorder.ended.length, recorder.begun.length);
    yield* recorder.leave();
  },
};

function* logLength({ machine }: Inside) {
  return machine.log.length;
}

/**
 * Pages of the calling process of which an entry went away or allows less, from an event on, while no invalidation was under
 * way that covers it.
 */
function* unheard({ machine, thread }: Inside, from: number): Generator<never, readonly string[]> {
  const { pageSize } = machine.geometry;
  const open: { readonly start: number; readonly end: number }[] = [];
  const found: string[] = [];
  const entries = new Map<number, number>();
  for (const { index, name, fields } of machine.log.events()) {
    const { mm, vpn = 0, start = 0, end = 0, entry = 0, pages = 1 } = fields;
    if (mm !== thread.mm.id) continue;
    if (name === "notifier-begin") open.push({ start, end });
    if (name === "notifier-end") {
      open.splice(
        open.findIndex((range) => range.start === start && range.end === end),
        1,
      );
    }
    if (name !== "pte-set" && name !== "pte-clear") continue;
    for (let at = vpn; at < vpn + (name === "pte-clear" ? pages : 1); at++) {
      const before = entries.get(at) ?? 0;
      const after = name === "pte-clear" ? 0 : entry;
      entries.set(at, after);
      const address = at * pageSize;
      const isHeard = open.some((range) => range.start <= address && address < range.end);
      if (index >= from && !isHeard && isLess(before, after)) {
        found.push(
          `${name} of 0x${address.toString(16)} from 0x${before.toString(16)} to 0x${after.toString(16)}`,
        );
      }
    }
  }
  return found;
}

/** Whether an entry names another frame than before, or allows less. In an entry the frame stands above 12 bits of flags. */
function isLess(before: number, after: number): boolean {
  const frameOf = (entry: number) => Math.floor(entry / 4096);
  return before !== 0 && (frameOf(before) !== frameOf(after) || (before & ~after & RIGHTS) !== 0);
}
