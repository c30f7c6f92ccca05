import { EEXIST } from "@nopage/core";
import { type LawCase, mustBe, mustSucceed, type Steps, type Subject, user } from "@nopage/testkit/executor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findKernel, lab, type SubjectDefinition, whyNoLab } from "../../src/index.ts";
import { Laboratory } from "../../src/run/laboratory.ts";
import { runCaseInLab } from "../../src/run/run-case-in-lab.ts";
import { buildDrivers } from "../../src/subjects/build-drivers.ts";
import { highway } from "../../src/subjects/highway-commands.ts";
import { twins } from "../../src/subjects/twins.ts";

const missing = whyNoLab();

/** The drivers are built once for all tests, on a busy machine in more time than a test has. */
const BUILDING_MS = 300_000;

const PAGE = 4096;
const OBJECT = 4 * PAGE;
const READ_AND_WRITE = 3;
const MAP_SHARED_FIXED = 0x11;

/** Bytes of pages that munmap is busy with once it has dealt with the object's, and rounds of that. */
const LONG = 64 * 2 ** 20;
const LONG_ROUNDS = 3;
/** Givings back and takings away in one round, for longer than its munmap lasts. */
const TURNS = 1500;

/**
 * Room for the object and for `more` bytes behind it: where it begins. A page before it stays mapped, so that the page table
 * does; and one behind it, as munmap keeps the mmap lock for writing next to the stack (mm/mmap.c `do_mas_align_munmap`).
 */
function* room(more: number): Steps<number> {
  const request = { length: PAGE + OBJECT + more + PAGE, protection: 3, sharing: "private" } as const;
  const before = mustSucceed("mmap of room", yield* user.mmap(request));
  yield* user.store(before, 1);
  return before + PAGE;
}

function* opened(subject: Subject): Steps<number> {
  return mustSucceed("open", yield* subject.open());
}

/** The object is given back and taken away, again and again, while one munmap of its area and of much else is under way. */
const givenBackDuringMunmap: LawCase = {
  when: "",
  schedule: "racy",
  *program({ subject }) {
    const file = yield* opened(subject);
    const start = yield* room(LONG);
    for (let round = 0; round < LONG_ROUNDS; round++) {
      const more = {
        address: start + OBJECT,
        length: LONG,
        protection: READ_AND_WRITE,
        sharing: "private",
      } as const;
      mustSucceed("mmap", yield* user.mmap({ ...more, placement: "fixed" }));
      mustSucceed("madvise", yield* user.madvise(start + OBJECT, LONG, "populate-read"));
      mustSucceed("mmap of the object", yield* subject.map({ descriptor: file, fixedAt: start }));
      mustSucceed("closing the gate", yield* user.ioctl(file, highway.gateClose));
      const unmapping = yield* user.thread(function* () {
        mustBe("munmap", yield* user.munmap(start, OBJECT + LONG), 0);
      });
      yield* lab.repeat(TURNS, ["ioctl", file, highway.gateOpen, 0], ["ioctl", file, highway.gateClose, 0]);
      mustSucceed("opening the gate", yield* user.ioctl(file, highway.gateOpen));
      yield* user.join(unmapping);
      mustBe("a load from what is unmapped", yield* user.load(start), {
        signal: "SIGSEGV",
        code: "SEGV_MAPERR",
        address: start,
      });
    }
  },
};

/** Rounds in one go, which take a fraction of a second, and how often. */
const ROUNDS = 300;
const GOES = 20;

const TRACING = "/sys/kernel/debug/tracing";

/**
 * Has the kernel note its stack wherever it looks for the frame of an area's first page, between asking whether the area is in
 * its account of cache modes and taking it out (arch/x86/mm/pat/memtype.c `untrack_pfn`): who meets whom there does so often.
 */
function* slowedDown(): Steps<void> {
  const made = yield* lab.writeFile(`${TRACING}/kprobe_events`, "p:slow follow_phys");
  if (made !== -EEXIST) {
    mustSucceed("a probe", made);
    mustSucceed("its trigger", yield* lab.writeFile(`${TRACING}/events/kprobes/slow/trigger`, "stacktrace"));
  }
  mustSucceed("enabling it", yield* lab.writeFile(`${TRACING}/events/kprobes/slow/enable`, "1"));
}

/** One process maps the object and unmaps it while another takes it away and gives it back, each on a CPU of its own. */
const takenAwayDuringMunmap: LawCase = {
  when: "",
  schedule: "racy",
  *program({ subject }) {
    yield* slowedDown();
    // What the kernel warns of once a boot it is to tell of again.
    mustSucceed("clear_warn_once", yield* lab.writeFile("/sys/kernel/debug/clear_warn_once", "1"));
    const mapper = yield* user.process(function* () {
      const file = yield* opened(subject);
      const start = yield* room(0);
      for (let go = 0; go < GOES; go++) {
        yield* lab.repeat(
          ROUNDS,
          ["mmap", start, OBJECT, READ_AND_WRITE, MAP_SHARED_FIXED, file, 0],
          ["munmap", start, OBJECT],
        );
      }
    });
    const file = yield* opened(subject);
    while ((yield* user.stateOf(mapper)) !== "ended") {
      yield* lab.repeat(ROUNDS, ["ioctl", file, highway.gateClose, 0], ["ioctl", file, highway.gateOpen, 0]);
    }
    yield* user.join(mapper);
  },
};

describe.skipIf(missing !== undefined)(
  `what is mapped at once, on two CPUs${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    const laboratory = new Laboratory();
    const eager = twins.filter(({ name }) => name.startsWith("eager-remap."));
    beforeAll(() => {
      const kernel = findKernel("cloud");
      if (kernel !== undefined) buildDrivers(kernel);
    }, BUILDING_MS);
    afterAll(() => laboratory.discard());

    async function problemsOf(lawCase: LawCase, twin: SubjectDefinition): Promise<readonly string[]> {
      const { end, guest } = await runCaseInLab(lawCase, twin, laboratory);
      if (guest === "spoilt") await laboratory.discard();
      return end.kind === "run" ? end.problems : [end.why];
    }

    // An entry that is made behind munmap's back is reached without an area, and is a BUG to who maps there next.
    it.each(eager)("$name MUST NOT be given back to an area that munmap is taking down", async (twin) => {
      expect(await problemsOf(givenBackDuringMunmap, twin)).toEqual([]);
    });

    // Two that empty an area at once make the kernel warn of its account of cache modes.
    it.each(eager)("$name MUST NOT be taken away while munmap does the same", async (twin) => {
      expect(await problemsOf(takenAwayDuringMunmap, twin)).toEqual([]);
    });
  },
);
