import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type LawCase, type Steps, user } from "@nopage/testkit/executor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { performAlone } from "../../src/execute/perform-alone.ts";
import { findKernel, lab, ModuleRefused, memfd, type SubjectDefinition, whyNoLab } from "../../src/index.ts";
import { KEEPER } from "../../src/run/keeper.ts";
import { Laboratory } from "../../src/run/laboratory.ts";
import { runCaseInLab } from "../../src/run/run-case-in-lab.ts";
import { labResultsIn } from "../../src/run/run-lab.ts";
import { complaintsAfterwards } from "../../src/run/subject-end.ts";

const missing = whyNoLab("cloud", "drivers");
const BUILDING_MS = 300_000;
const SOURCES = fileURLToPath(new URL("crash/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "nopage-crash-"));
const laboratory = new Laboratory();

beforeAll(() => {
  const kernel = findKernel("cloud");
  if (missing !== undefined || kernel === undefined) return;
  cpSync(SOURCES, folder, { recursive: true });
  const headers = `/usr/src/linux-headers-${kernel.release}`;
  execFileSync("make", ["-s", "-C", folder, `KDIR=${headers}`], { stdio: "pipe" });
}, BUILDING_MS);

afterAll(async () => {
  await laboratory.discard();
  rmSync(folder, { recursive: true });
});

/** A subject like any other, beside which the module that goes wrong is loaded. */
function crashing(parameters = "", more: Partial<SubjectDefinition> = {}): SubjectDefinition {
  const file = join(folder, "crash.ko");
  return { ...memfd, name: "crash", modules: () => [{ file, parameters }], ...more };
}

const subject = crashing();

function* crash(how: string): Steps<void> {
  yield* lab.writeFile("/sys/module/crash/parameters/now", how);
}

function* nothing(): Steps<void> {
  yield* user.munmap(0, 0);
}

/** Runs a program that goes wrong in a way, or any other. */
async function run(
  how: string | (() => Steps<void>),
  on = subject,
  provokes: Pick<LawCase, "provokes"> = {},
) {
  const program = typeof how === "string" ? () => crash(how) : how;
  const lawCase: LawCase = { when: "", schedule: "sequential", ...provokes, program };
  const { end, guest, steps } = await runCaseInLab(lawCase, on, laboratory);
  if (guest === "spoilt") await laboratory.discard();
  const problems = end.kind === "run" ? end.problems.join("\n") : `skip: ${end.why}`;
  return { problems, guest, steps: steps.join("\n") };
}

describe.skipIf(missing !== undefined)(
  `what goes wrong in the kernel${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    it.each([
      ["divide", /divide error: 0000 \[#1\].*crash_now/s],
      ["bug", /kernel BUG at .*invalid opcode: 0000 \[#1\].*crash_now/s],
      ["protection", /general protection fault.*: 0000 \[#1\].*crash_now/s],
      ["silent", /the kernel remembers a page or an object of a slab in a bad state \(tainted B\)/],
    ])("%s MUST fail its program, be shown, and cost the guest", async (how, expected) => {
      const { problems, guest } = await run(how);
      expect(problems).toMatch(expected);
      expect(guest).toBe("spoilt");
    });

    it("an oops MUST NOT be hidden by a program that provokes a warning, which is", async () => {
      expect(await run("warn-once", subject, { provokes: "contract" })).toMatchObject({ problems: "" });
      const { problems, guest } = await run("divide", subject, { provokes: "contract" });
      expect(problems).toMatch(/divide error: 0000/);
      expect(guest).toBe("spoilt");
    });

    it("what the kernel warns of once MUST fail every program that makes it", async () => {
      expect((await run("warn-once")).problems).toContain("WARNING: CPU");
      const { boots } = laboratory;
      expect(await run("warn-once")).toMatchObject({
        problems: expect.stringContaining("WARNING: CPU"),
        guest: "fit",
      });
      expect(laboratory.boots).toBe(boots);
    });

    it("what the slab allocator finds MUST fail the program", async () => {
      const { problems } = await run("slab");
      expect(problems).toMatch(/BUG kmalloc-64 \(.*\): Poison overwritten/);
    });

    it("a task that hangs in the kernel MUST be shown with where it is", async () => {
      const { problems, steps, guest } = await run("sleep");
      expect(problems).toContain("deadlock: ");
      expect(steps).toMatch(/task:init.*crash_now/s);
      expect(guest).toBe("spoilt");
    });

    it("a CPU that the kernel keeps MUST be shown with where it is", async () => {
      const { steps, guest } = await run("spin");
      expect(steps).toMatch(/NMI backtrace for cpu.*crash_spin/s);
      expect(steps).not.toContain("write_sysrq_trigger");
      expect(guest).toBe("spoilt");
    });

    it("what comes late MUST be told with what ran before, and MUST NOT be lost after the last program", async () => {
      laboratory.law = "XX-01";
      expect((await run(nothing)).problems).toBe("");
      laboratory.law = "XX-02";
      const { problems } = await run(function* () {
        yield* crash("late");
        yield* user.sleep(1e12);
      });
      expect(problems).toMatch(
        /complains in kworker\S*, maybe late, of what ran before \(XX-01\):\n.*crash_late/s,
      );
      const guest = await laboratory.guestFor(subject);
      await guest.startProcess(KEEPER);
      await performAlone(guest, KEEPER, crash("late"));
      expect((await complaintsAfterwards(subject, laboratory)).join("\n")).toMatch(
        /crash: afterwards, .*what ran before \(XX-02\).*crash_late/s,
      );
    });

    it("what the kernel says while a module is loaded MUST fail the first program", async () => {
      const on = crashing("at_load=1");
      expect((await run(nothing, on)).problems).toMatch(
        /complains while the modules are loaded:\nWARNING: CPU.*crash_init/s,
      );
      expect((await run(nothing, on)).problems).toBe("");
    });

    it("a module that dies while it is loaded MUST be refused with its oops", async () => {
      const refused = await run(nothing, crashing("die_at_load=1")).catch((failure: unknown) => failure);
      expect(refused).toBeInstanceOf(ModuleRefused);
      expect(String(refused)).toMatch(/NULL pointer dereference.*crash_init/s);
    });

    it("a module MUST be unloaded in the end, and what the kernel says to that MUST be told", async () => {
      const results = [];
      const on = crashing("at_unload=1", { module: "crash" });
      for await (const result of labResultsIn(laboratory, [on], { laws: ["MM-04"] })) results.push(result);
      expect(results.map(({ law, status }) => `${law} ${status}`)).toEqual([
        "MM-04 holds",
        "afterwards broken",
      ]);
      expect(results[1]?.reason).toMatch(/WARNING: CPU.*crash_exit/s);
    });

    it("a module that a program has unloaded MUST be there again for the next", async () => {
      const on = crashing("", { module: "crash" });
      const unloaded: unknown[] = [];
      await run(function* () {
        unloaded.push(yield* user.deleteModule("crash"));
      }, on);
      expect(unloaded).toEqual([0]);
      expect((await run("warn-once", on)).problems).toContain("WARNING: CPU");
    });

    it("a subject that dies while it is set up MUST be told at once, and MUST NOT be tried for ever", async () => {
      let how = "";
      const on = crashing("", {
        *setUp() {
          yield* crash(how);
          return {};
        },
      });
      const turns = [
        ["null", "its process has ended by signal 9"],
        ["locked", "the kernel has died: BUG: "],
        ["null", "its process has ended by signal 9"],
      ] as const;
      for (const [next, expected] of turns) {
        how = next;
        const { problems, guest } = await run(nothing, on);
        expect(problems).toMatch(/in the middle of ".*".*crash_now/s);
        expect(problems).toContain(expected);
        expect(guest).toBe("spoilt");
      }
      const { boots } = laboratory;
      expect((await run(nothing, on)).problems).toMatch(
        /^skip: it could not be set up on 3 fresh guests in a row: .*NULL pointer/,
      );
      expect(laboratory.boots).toBe(boots);
    });
  },
);
