import { describe, expect, test } from "vitest";
import { stuckLines, whereStuck } from "../../src/run/where-stuck.ts";

const blocked = [
  "sysrq: Show Blocked State",
  "task:init            state:D stack:0     pid:88    ppid:1",
  "Call Trace:",
  " ? guessed+0x1/0x2",
  " mine_fault+0x20/0x30 [mine]",
];

describe("where a kernel stands", () => {
  test("a blocked task MUST be told with its trace, without what is guessed", () => {
    expect(stuckLines(`${blocked.join("\r\n")}\r\nagent: mark-7\r\n`)).toEqual(
      blocked.filter((line) => !line.includes("?")),
    );
  });

  test("where nothing is blocked nothing MUST be told", () => {
    expect(stuckLines("sysrq: Show Blocked State\r\nagent: mark-7\r\n")).toEqual([]);
  });

  test("of the CPUs the one that asks MUST be left out", () => {
    const said = [
      ...["sysrq: Show backtrace of all active CPUs", "NMI backtrace for cpu 0"],
      ...["CPU: 0 PID: 1 Comm: init", " write_sysrq_trigger+0x24/0x40", "Sending NMI from CPU 0 to CPUs 1:"],
      ...["NMI backtrace for cpu 1", "CPU: 1 PID: 88 Comm: init", "RIP: 0010:mine_spin+0x5/0x9 [mine]"],
    ];
    const lines = stuckLines(said.join("\n"));
    expect(lines).not.toContain("CPU: 0 PID: 1 Comm: init");
    expect(lines).toEqual([...said.slice(0, 1), ...said.slice(4)]);
  });

  test("a guest that does not answer MUST be told as far as its log got, and one with nothing to ask not be asked", async () => {
    const asked: string[] = [];
    const guest = {
      log: "before\n",
      async sysrq(letter: string) {
        asked.push(letter);
        guest.log += `${blocked.join("\n")}\n`;
        throw new Error("lost");
      },
      settleLog: () => Promise.resolve(0),
    };
    expect(await whereStuck(guest, [])).toEqual([]);
    expect(asked).toEqual([]);
    expect(await whereStuck(guest, ["w", "l"])).toContain(" mine_fault+0x20/0x30 [mine]");
    expect(asked).toEqual(["w"]);
  });
});
