import { type LawCase, mustBe, type Steps, user } from "@nopage/testkit/executor";
import { afterAll, describe, expect, it } from "vitest";
import { lab, mapWhole, memfd, type SubjectDefinition, whyNoLab } from "../../src/index.ts";
import { Laboratory } from "../../src/run/laboratory.ts";
import { runCaseInLab } from "../../src/run/run-case-in-lab.ts";
import { labResultsIn } from "../../src/run/run-lab.ts";

const missing = whyNoLab();
const laboratory = new Laboratory();

afterAll(() => laboratory.discard());

async function run(program: () => Steps<void>, subject: SubjectDefinition = memfd) {
  const lawCase: LawCase = { when: "", schedule: "sequential", program };
  const { end, guest } = await runCaseInLab(lawCase, subject, laboratory);
  if (end.kind === "excluded") throw new Error(end.why);
  return { problems: end.problems, guest };
}

async function standings(subject: SubjectDefinition, laws: readonly string[]) {
  const results = [];
  for await (const result of labResultsIn(laboratory, [subject], { laws })) results.push(result);
  return results;
}

describe.skipIf(missing !== undefined)(
  `programs on a real kernel${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    it("a thread that waits in the kernel MUST be seen to wait, and its end to come when it is let go on", async () => {
      const seen: unknown[] = [];
      const { problems } = await run(function* () {
        const { written } = yield* lab.call("pipe2", { room: 8 }, 0);
        const [from = 0, to = 0] = new Int32Array((written[0] ?? new Uint8Array(8)).buffer);
        const page = yield* user.mmap({ length: 4096, protection: 3, sharing: "private" });
        const reader = yield* user.thread(function* () {
          seen.push(yield* user.read(from, page, 4));
          seen.push(yield* user.load(page));
        }, "reader");
        yield* user.settle();
        seen.push(yield* user.stateOf(reader));
        yield* user.store(page + 8, 0x1234);
        seen.push(yield* user.write(to, page + 8, 4));
        seen.push(yield* user.join(reader));
      });
      expect(problems).toEqual([]);
      expect(seen).toEqual(["blocked", 4, 4, 0x1234, { status: 0 }]);
    });

    it("a process MUST have memory of its own, count its own signals, and end by its status or signal", async () => {
      const seen: unknown[] = [];
      const { problems } = await run(function* () {
        const page = yield* user.mmap({ length: 4096, protection: 3, sharing: "private" });
        yield* user.store(page, 1);
        const child = yield* user.fork(function* () {
          yield* user.store(page, 2);
          yield* user.countSignal("SIGUSR1");
          yield* user.sleep(1_000_000);
          seen.push(yield* user.signalsTaken("SIGUSR1"), yield* user.load(page));
          yield* user.exit(3);
        });
        if (typeof child === "number") throw new Error(`fork answered ${child}`);
        yield* user.settle();
        const other = yield* user.fork(function* () {
          yield* user.sleep(1_000_000_000_000);
        });
        if (typeof other === "number") throw new Error(`fork answered ${other}`);
        yield* user.kill(other, "SIGKILL");
        seen.push(yield* user.join(other), yield* user.join(child), yield* user.load(page));
      });
      expect(problems).toEqual([]);
      expect(seen).toEqual([0, 2, { signal: "SIGKILL" }, { status: 3 }, 1]);
    });

    it("what a program counts of its process MUST be its own doing", async () => {
      const { problems } = await run(function* () {
        for (let turn = 0; turn < 3; turn++) {
          const before = yield* user.memoryStatus();
          const faults = yield* user.faults();
          const address = yield* user.mmap({ length: 3 * 4096, protection: 3, sharing: "private" });
          yield* user.store(address, 1);
          yield* user.store(address + 4096, 1);
          const { minor } = yield* user.faults();
          const { size, rss } = yield* user.memoryStatus();
          mustBe(
            "size, rss and faults",
            [size - before.size, rss - before.rss, minor - faults.minor],
            [3, 2, 2],
          );
          mustBe("areas", (yield* user.smaps()).length, 1);
          yield* user.munmap(address, 3 * 4096);
          mustBe("what is left", yield* user.memoryStatus(), before);
        }
      });
      expect(problems).toEqual([]);
    });

    it("a card MUST be there, and go and come back through sysfs", async () => {
      const seen: unknown[] = [];
      const { problems } = await run(function* () {
        const edu = yield* lab.pciFunction("0x1234", "0x11e8");
        mustBe("its memory is switched on", yield* lab.writeFile(`${edu}/enable`, "1"), 1);
        const map = function* (): Steps<number> {
          const path = `${edu}/resource0`;
          const descriptor = yield* user.open({ path, mode: "read-write", blocking: "blocking" });
          return descriptor < 0
            ? descriptor
            : yield* user.mmap({ length: 4096, protection: 3, sharing: "shared", descriptor });
        };
        const registers = yield* map();
        seen.push(yield* user.load(registers));
        mustBe("remove", yield* lab.writeFile(`${edu}/remove`, "1"), 1);
        seen.push(yield* map());
        mustBe("rescan", yield* lab.writeFile("/sys/bus/pci/rescan", "1"), 1);
        yield* lab.writeFile(`${edu}/enable`, "1");
        seen.push(yield* user.load(yield* map()));
      });
      expect(problems).toEqual([]);
      expect(seen).toEqual([0x0100_00ed, -2, 0x0100_00ed]);
    });

    it("a program that nobody lets go on MUST be told as a deadlock, and leave the guest fit", async () => {
      const { problems, guest } = await run(function* () {
        yield* lab.call("poll", 0, 0, -1);
      });
      expect(problems).toEqual([
        expect.stringMatching(/^memfd: deadlock: law does "call 7 0 0 -1" \(sleeping, \S*poll\S*\)/),
      ]);
      expect(guest).toBe("fit");
    });

    it("what the kernel complains of MUST fail the program during which it does, and an oops MUST cost the guest", async () => {
      const say = (text: string) =>
        function* (): Steps<void> {
          yield* lab.writeFile("/dev/kmsg", `<4>${text}\n`);
        };
      const boots = laboratory.boots;
      expect(await run(say("WARNING: planted"))).toEqual({
        problems: [expect.stringContaining("memfd: the kernel complains:\nWARNING: planted")],
        guest: "fit",
      });
      expect(await run(say("nothing to complain of"))).toEqual({ problems: [], guest: "fit" });
      expect(await run(say("BUG: planted"))).toMatchObject({ guest: "spoilt" });
      await laboratory.discard();
      expect(await run(say("all is well"))).toEqual({ problems: [], guest: "fit" });
      expect(laboratory.boots).toBeGreaterThan(boots);
    });

    it("what shows the wrong pages MUST break a law, and where its pages are all alike keep none", async () => {
      // The offset is not looked at.
      const wrong = (zeroed: boolean): SubjectDefinition => ({
        ...memfd,
        name: zeroed ? "alike" : "wrong",
        *setUp() {
          const abilities = yield* memfd.setUp();
          const path = abilities.path ?? "";
          const open = () => user.open({ path, mode: "read-write", blocking: "blocking" });
          if (zeroed) {
            const descriptor = yield* open();
            yield* user.ftruncate(descriptor, 0);
            yield* user.ftruncate(descriptor, memfd.pages * 4096);
            yield* user.close(descriptor);
          }
          return {
            ...abilities,
            map: ({ first = 0, pages = memfd.pages - first, ...mapping } = {}) =>
              mapWhole(open, memfd.pages, { ...mapping, first: 0, pages }),
            ...(zeroed && { markOf: () => 0 }),
          };
        },
      });
      expect(await standings(wrong(false), ["LC-10"])).toMatchObject([{ status: "broken" }]);
      expect(await standings(wrong(true), ["LC-10"])).toMatchObject([
        { status: "skip", reason: expect.stringContaining("cannot be told from memory that is empty") },
      ]);
    });

    it("a run that is to end MUST end with its guest, whatever a program is at, and boot no other", async () => {
      const controller = new AbortController();
      const own = new Laboratory([], controller.signal);
      const lawCase: LawCase = {
        when: "",
        schedule: "sequential",
        *program() {
          controller.abort(new Error("that is enough"));
          yield* lab.call("poll", 0, 0, -1);
        },
      };
      expect(await runCaseInLab(lawCase, memfd, own)).toMatchObject({ guest: "spoilt" });
      await expect(runCaseInLab(lawCase, memfd, own)).rejects.toThrow("that is enough");
      expect(own.boots).toBe(1);
    });

    it("memfd MUST keep laws, and break those that it claims wrongly, step by step", async () => {
      const kept = await standings(memfd, ["MM-04", "LC-15", "FR-05", "TR-04"]);
      expect(kept.map(({ law, status, reason }) => `${law} ${status} ${reason}`)).toEqual([
        "MM-04 holds ",
        "LC-15 holds ",
        "FR-05 holds ",
        "TR-04 holds ",
      ]);
      const liar = { ...memfd, name: "liar", supports: { ...memfd.supports, mremapGrow: false } };
      const [broken] = await standings(liar, ["LC-14"]);
      expect(broken?.status).toBe("broken");
      expect(broken?.reason).toMatch(
        /^liar, growing: growing in place answers 0x\w+, and must fail with EFAULT$/,
      );
      expect(broken?.broken[0]?.steps.at(-1)).toMatch(/^main: mremap\(address 0x/);
    });
  },
);
