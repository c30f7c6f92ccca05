import { describe, expect, test } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import type { EventLog } from "../../src/events/event-log.ts";
import { PTE_PFN_UNIT, PTE_READ, PTE_WRITE } from "../../src/mmu/pte.ts";
import type { Chooser } from "../../src/sched/chooser.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { runToBlock } from "../../src/sched/run-to-block-chooser.ts";
import { type Operation, programOf } from "./operations.ts";
import { Playground } from "./playground.ts";

/**
 * Reads the log of a run and answers with every removal or narrowing of an entry of one mm that no invalidation under
 * way covers (MN-01). Registers are mapped many entries an event, so the program has to do without them.
 */
function unannounced(
  log: EventLog,
  mm: number,
  pageSize: number,
): { readonly wrong: string[]; readonly changes: number; readonly begins: number } {
  const entries = new Map<number, number>();
  const active: [number, number][] = [];
  const wrong: string[] = [];
  let changes = 0;
  let begins = 0;
  const change = (vpn: number, what: string): void => {
    changes++;
    const at = vpn * pageSize;
    if (!active.some(([start, end]) => start <= at && at < end)) wrong.push(`${what} of page ${vpn}`);
  };
  for (const { name, fields } of log.events()) {
    if (fields["mm"] !== mm) continue;
    const { vpn = 0, entry = 0, start = 0, end = 0 } = fields;
    if (name === "notifier-begin") {
      begins++;
      active.push([start, end]);
    } else if (name === "notifier-end") {
      const index = active.findIndex(([from, to]) => from === start && to === end);
      if (index < 0) wrong.push(`an end of [${start}, ${end}) without begin`);
      else active.splice(index, 1);
    } else if (name === "pte-clear") {
      for (let at = vpn; at < vpn + (fields["pages"] ?? 0); at++)
        if (entries.delete(at)) change(at, "removal");
    } else if (name === "pte-set") {
      const before = entries.get(vpn) ?? 0;
      const isOther = Math.floor(before / PTE_PFN_UNIT) !== Math.floor(entry / PTE_PFN_UNIT);
      const isNarrower = (before & ~entry & (PTE_READ | PTE_WRITE)) !== 0;
      if (before !== 0 && (isOther || isNarrower)) change(vpn, isOther ? "replacement" : "narrowing");
      if (entry === 0) entries.delete(vpn);
      else entries.set(vpn, entry);
    } else if (name === "notifier-release") active.push([0, Number.POSITIVE_INFINITY]);
  }
  return { wrong, changes, begins };
}

function withoutRegisters(program: readonly Operation[]): readonly Operation[] {
  return program
    .filter((operation) => !("of" in operation && operation.of === "registers"))
    .map((operation) =>
      operation.kind === "fork" ? { ...operation, child: withoutRegisters(operation.child) } : operation,
    );
}

describe("every removal or narrowing of an entry", () => {
  test.each([
    ["run-to-block", () => runToBlock],
    ["random schedules", randomChooser],
  ] as [string, (seed: number) => Chooser][])(
    "MN-01 MN-02 lies between a begin and an end that cover it, each told to the follower once: %s",
    (_name, chooser) => {
      let changes = 0;
      for (const seed of seedsBelow(40)) {
        const playground = new Playground({ eventLog: "on", chooser: chooser(seed) });
        const { machine, kernel } = playground.world;
        let open = 0;
        let begins = 0;
        let followed = 0;
        playground.world.run(function* (thread) {
          followed = thread.mm.id;
          yield* kernel.mappings.registerNotifier(thread.mm, {
            name: "follower",
            invalidateRangeBegin: () => {
              open++;
              begins++;
              return 0;
            },
            invalidateRangeEnd: () => {
              open--;
            },
          });
          yield* playground.run(thread, withoutRegisters(programOf(seed, 40)));
        });
        const seen = unannounced(machine.log, followed, playground.world.page);
        expect(seen.wrong).toEqual([]);
        expect(open).toBe(0);
        changes += seen.changes;
        expect(begins).toBe(seen.begins);
        playground.world.finish();
      }
      expect(changes).toBeGreaterThan(100);
    },
  );
});
