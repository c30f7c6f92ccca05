import {
  EFAULT,
  ENOMEM,
  type FaultOutcome,
  hwpoison,
  oom,
  type Pfn,
  sigbus,
  sigsegv,
  type UserAddress,
  VM_PFNMAP,
} from "@nopage/core";
import { markOf } from "../../mark.ts";
import { claimMarkedWindow } from "../../marked-window.ts";
import { must, mustBe, mustFail, SIGBUS, SIGSEGV_MAPERR, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw } from "../law.ts";
import { killedAtGateCase } from "../pins/dying.ts";
import { endedLoad } from "../support/ended-load.ts";
import { ownDevice } from "../support/own-device.ts";
import { fruitlessCopyCase } from "./by-the-kernel.ts";
import { wrongAnswers } from "./wrong-answers.ts";

/** What a handler owes to the core, and what becomes of the thread that it answers wrongly. */
export const handlerLaws: readonly AnyLaw[] = [
  {
    id: "FR-06",
    level: "required",
    owner: ["strategy", "core"],
    rule: "an access MUST end while the gate is open, by its value or by a signal; a handler that says that it is done and is not MUST NOT hold off a fatal signal",
    source: "mm/memory.c do_fault (VM_FAULT_NOPAGE); mm/gup.c __get_user_pages, faultin_page",
    cases: [
      {
        when: "every page, and past the end",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const address = yield* succeed("mmap", subject.map());
          for (let page = 0; page < pages; page++) {
            const seen = yield* endedLoad(address + page * pageSize);
            const isThere = !subject.holes.includes(page);
            mustBe(`a load from page ${page}`, seen, isThere ? subject.markOf(page) : SIGBUS);
          }
          if (subject.resize === undefined) return;
          yield* succeed("shrinking the object", subject.resize(1));
          mustBe("a load past the end", yield* endedLoad(address + pageSize), SIGBUS);
        },
      },
      {
        when: "a handler that installs nothing, and SIGKILL",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program() {
          const device = yield* ownDevice({ ops: () => ({ nopage: () => ({ kind: "installed" }) }) });
          const loads = yield* user.process(function* () {
            const { address } = yield* device.mapped();
            yield* user.load(address);
          }, "loader");
          const pins = yield* user.process(function* () {
            const { address } = yield* device.mapped();
            yield* user.processVmRead(address, 4);
          }, "reader");
          yield* user.sleep(20_000);
          for (const actor of [loads, pins]) {
            must((yield* user.stateOf(actor)) !== "ended", `${actor.name} has ended without the page`);
            yield* user.kill(actor, "SIGKILL");
            mustBe(`the end of ${actor.name}`, yield* user.join(actor), { signal: "SIGKILL" });
          }
          yield* device.release();
        },
      },
      fruitlessCopyCase,
      {
        when: "every page, on a machine that checks little",
        schedule: "sequential",
        kinds: "one",
        machine: { sanitizers: "cheap" },
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const address = yield* succeed("mmap", subject.map());
          for (let page = 0; page < pages; page++) {
            const isThere = !subject.holes.includes(page);
            const seen = yield* endedLoad(address + page * pageSize);
            mustBe(`a load from page ${page}`, seen, isThere ? subject.markOf(page) : SIGBUS);
          }
          mustBe("a load behind it", yield* endedLoad(address + pages * pageSize), SIGSEGV_MAPERR);
        },
      },
    ],
  },
  {
    id: "FR-10",
    level: "model-only",
    owner: ["core"],
    rule: "get_user_pages MUST answer lack of memory with ENOMEM, sigbus, sigsegv and a broken frame with EFAULT, and a wait of who is killed with EINTR",
    source: "include/linux/mm.h vm_fault_to_errno; mm/gup.c faultin_page, __get_user_pages",
    cases: [
      {
        when: "",
        schedule: "sequential",
        kinds: "one",
        *program() {
          let answer: FaultOutcome = sigbus;
          const device = yield* ownDevice({ ops: () => ({ nopage: () => answer }) });
          const { address } = yield* device.mapped();
          for (const [outcome, errno] of [
            [oom, ENOMEM],
            [sigbus, EFAULT],
            [sigsegv, EFAULT],
            [hwpoison, EFAULT],
          ] as const) {
            answer = outcome;
            mustFail(`get_user_pages of ${outcome.kind}`, yield* pin(address), errno);
          }
          yield* device.release();
        },
      },
      killedAtGateCase,
    ],
  },
  {
    id: "FR-11",
    level: "required",
    owner: ["strategy", "core"],
    rule: "a handler MUST answer with a fault outcome and never with an errno or nothing; an occupied slot counts as success",
    source:
      "include/linux/mm_types.h vm_fault_t; mm/memory.c __vm_insert_mixed, insert_pfn; mail of 1997 (its I/O nopage remaps and returns nothing)",
    cases: [
      {
        when: "every state of the object",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* touchAll(address, pages, pageSize);
          yield* subject.resize?.(1) ?? none();
          yield* touchAll(address, pages, pageSize);
          yield* subject.resize?.(pages) ?? none();
          if (subject.gate !== undefined) {
            yield* subject.gate.close();
            const waiter = yield* user.thread(() => touchAll(address, pages, pageSize), "waiter");
            yield* user.settle();
            yield* subject.gate.open();
            yield* user.join(waiter);
          }
          yield* subject.remove?.() ?? none();
          yield* touchAll(address, pages, pageSize);
        },
      },
      {
        when: "a handler that answers with an errno",
        schedule: "sequential",
        executor: "model",
        provokes: "contract",
        kinds: "one",
        *program() {
          const device = yield* ownDevice({
            ops: () => ({ nopage: () => -EFAULT as unknown as FaultOutcome }),
          });
          const { address } = yield* device.mapped();
          mustBe("a load that the hook answers with -EFAULT", yield* user.load(address), SIGBUS);
          yield* device.release();
        },
      },
      {
        when: "a handler that answers with nothing",
        schedule: "sequential",
        executor: "model",
        provokes: "contract",
        kinds: "one",
        *program() {
          const device = yield* ownDevice({
            ops: () => ({ nopage: () => undefined as unknown as FaultOutcome }),
          });
          const { address } = yield* device.mapped();
          mustBe("a load that the hook answers with nothing", yield* user.load(address), SIGBUS);
          yield* device.release();
        },
      },
      {
        when: "a slot that is occupied",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program() {
          const results: string[] = [];
          let firstPfn = -1;
          const device = yield* ownDevice({
            *mmap(area, { machine, kernel }) {
              const { range } = claimMarkedWindow(machine, 2);
              firstPfn = range.startPfn;
              area.flags |= VM_PFNMAP;
              for (const pfn of [firstPfn + 1, firstPfn]) {
                const answer = yield* kernel.mappings.insertPfn(area, area.start, pfn as Pfn);
                results.push(answer.kind);
              }
              return 0;
            },
          });
          const { address } = yield* device.mapped();
          mustBe("both insertions into one slot", results, ["installed", "installed"]);
          mustBe("the page that is shown", yield* user.load(address), markOf(1));
          yield* device.release();
        },
      },
      ...wrongAnswers,
    ],
  },
];

/** Loads from each of some pages and stores what came, whatever the answers are. */
function* touchAll(address: number, pages: number, pageSize: number): Steps<void> {
  for (let page = 0; page < pages; page++) {
    const at = address + page * pageSize;
    const seen = yield* user.load(at);
    if (typeof seen === "number") yield* user.store(at, seen);
  }
}

/** `get_user_pages` of one page, which is given back: 0, or a negated errno. */
function* pin(address: number): Steps<number> {
  return yield* user.kernel(function* ({ kernel, thread }) {
    const request = { access: "read", hold: "pin", permission: "checked" } as const;
    const held = yield* kernel.user.getPages(thread.mm, address as UserAddress, 1, request);
    if (typeof held === "number") return held;
    for (const page of held) yield* kernel.user.releasePage(thread.mm, page, "pin", "clean");
    return 0;
  });
}

function* none(): Steps<number> {
  return 0;
}
