import { ENOMEM } from "@nopage/core";
import { must, mustBe, mustFail, SIGSEGV_MAPERR, succeed } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw } from "../law.ts";
import { forked } from "../support/forked.ts";
import { countsNoHooks, countsOf, mustHaveAlive, mustHaveRun } from "../support/hook-counts.ts";
import { entriesIn, mapPlanted, plantDevice, setOps } from "../support/planted-device.ts";
import { ShortMemory } from "../support/short-memory.ts";
import { mustShow } from "../support/shown-pages.ts";
import { shortForkCases } from "./short-forks.ts";

/** More allocations than a fork of a few areas asks for. */
const MOST_ALLOCATIONS = 200;

const memory = new ShortMemory();

/** What fork tells a driver, and when. */
export const forkLaws: readonly AnyLaw[] = [
  {
    id: "LC-03",
    level: "model-only",
    owner: ["core"],
    rule: "fork MUST open each copied area once, before the reverse map finds it and before it has entries",
    source: "kernel/fork.c dup_mmap; CVE-2024-27022",
    cases: [
      {
        when: "what open finds",
        schedule: "sequential",
        kinds: "one",
        *program({ subject: { pageSize } }) {
          const seen: string[] = [];
          const device = yield* plantDevice("/dev/law", 2, ({ kernel, thread }, own) => ({
            *mmap(_file, area) {
              setOps(area, {
                open: ({ id, mm, start, pages, mapping }) => {
                  const isFindable =
                    mapping?.areasShowing(0, pages).some((other) => other.id === id) ?? false;
                  const whose = mm === thread.mm ? "the parent" : "the child";
                  const where = isFindable ? "findable" : "not findable";
                  seen.push(`an area of ${whose}, ${where}, with ${entriesIn(mm, start, pages)} entries`);
                },
              });
              const { start: address, pages } = area;
              const request = { address, pfn: own.frame(0), pages, leaves: "single" } as const;
              return yield* kernel.mappings.remapPfnRange(area, request);
            },
          }));
          const address = yield* succeed("mmap", mapPlanted(device, 2 * pageSize));
          yield* forked(function* () {
            const entries = yield* user.kernel(function* ({ thread }) {
              return entriesIn(thread.mm, address, 2);
            });
            mustBe("the number of entries that fork copies", entries, 2);
          });
          const expected = ["an area of the child, not findable, with 0 entries"];
          mustBe("what open is told of a fork", seen, expected);
        },
      },
      {
        when: "while somebody walks the reverse map",
        schedule: "racy",
        kinds: "one",
        *program({ subject: { pageSize } }) {
          const known = yield* user.kernel(function* ({ kernel }) {
            return kernel.sync.shared("areas that the driver knows", 1);
          });
          const device = yield* plantDevice("/dev/law", 1, () => ({
            mmap: (_file, area) =>
              setOps(area, {
                *open() {
                  yield* known.set((yield* known.get()) + 1);
                },
              }),
          }));
          yield* succeed("mmap", mapPlanted(device, pageSize));
          const walker = yield* user.thread(function* () {
            const unknown = yield* user.kernel(function* ({ machine }) {
              const mapping = [...machine.devices.addressSpaces()].find(({ name }) => name === "/dev/law");
              if (mapping === undefined) throw new Error("/dev/law has no reverse map");
              yield* mapping.lock.read();
              const found = mapping.areasShowing(0, 1).length;
              mapping.lock.unlockRead();
              return found - (yield* known.get());
            });
            // What the driver gets to know meanwhile may only be more.
            must(
              unknown <= 0,
              "the reverse map finds a child's area that open has not run for, and must not",
            );
          });
          yield* forked(function* () {});
          yield* user.join(walker);
        },
      },
    ],
  },
  {
    id: "LC-04",
    level: "required",
    owner: ["core"],
    rule: "an area that is marked not to be copied MUST NOT be in the child, and open MUST NOT run for it",
    source: "kernel/fork.c dup_mmap (VM_DONTCOPY); madvise(2) MADV_DONTFORK",
    cases: [
      {
        when: "",
        schedule: "sequential",
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* mustShow(subject, "the mapping", { address, first: 0, pages });
          yield* succeed("MADV_DONTFORK", user.madvise(address, pages * pageSize, "dontfork"));
          const before = yield* countsOf(subject);
          yield* forked(function* () {
            for (let page = 0; page < pages; page++) {
              const seen = yield* user.load(address + page * pageSize);
              mustBe(`a load by the child from page ${page}`, seen, SIGSEGV_MAPERR);
            }
          });
          if (subject.counts !== undefined) {
            yield* mustHaveRun(subject, "a fork that does not copy it", before, { opens: 0, closes: 0 });
          }
          yield* mustShow(subject, "the parent's mapping", { address, first: 0, pages });
        },
      },
    ],
  },
  {
    id: "LC-05",
    level: "model-only",
    owner: ["core"],
    rule: "a fork that fails MUST answer ENOMEM, and MUST close once every area that it has opened",
    source: "kernel/fork.c dup_mmap; mm/mmap.c exit_mmap",
    cases: [
      {
        when: "",
        schedule: "sequential",
        machine: { allocations: memory },
        excluded: countsNoHooks,
        *program({ subject }) {
          const addresses: number[] = [];
          for (let times = 0; times < 3; times++) addresses.push(yield* succeed("mmap", subject.map()));
          const before = yield* countsOf(subject);
          let most = 0;
          for (let given = 0; ; given++) {
            must(
              given < MOST_ALLOCATIONS,
              `fork fails with ENOMEM although it was given ${given} allocations`,
            );
            const { opens } = yield* countsOf(subject);
            memory.left = given;
            const child = yield* user.fork(function* () {});
            memory.left = Number.POSITIVE_INFINITY;
            if (typeof child !== "number") {
              yield* user.join(child);
              break;
            }
            mustFail(`fork with memory for ${given} allocations`, child, ENOMEM);
            const after = yield* countsOf(subject);
            most = Math.max(most, after.opens - opens);
            yield* mustHaveAlive(subject, `a fork that failed after ${given} allocations`, before.mmaps);
          }
          must(most > 0, "no fork fails after it has opened an area: the law has seen nothing");
          yield* mustHaveAlive(subject, "a fork that succeeded and its child's end", before.mmaps);
          for (const address of addresses) {
            yield* mustShow(subject, "the parent's mapping", { address, first: 0, pages: subject.pages });
          }
        },
      },
      ...shortForkCases,
    ],
  },
];

export { forked };
