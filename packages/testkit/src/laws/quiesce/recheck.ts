import {
  defineStrategy,
  type FaultOutcome,
  isGenerator,
  type MappingStrategy,
  type MayInterleave,
  mapPfn,
  type Sleepable,
  sigbus,
  VM_PFNMAP,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import { mustBe, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import { showMemory } from "../../shown-memory.ts";
import { createTestDevice } from "../../test-device.ts";
import type { LawCase } from "../law.ts";

const PATH = "/dev/careless";

/** What a handler does that does not look at the gate: answers at once, or only after somebody had time to close it. */
type Carelessness = "at once" | "after a while";

/** Longer than a thread takes to close a gate, in virtual nanoseconds. */
const A_WHILE = 10_000;

/**
 * QU-02: whatever a handler answers, the core looks at the gate under the lock before it writes it down; what came with the
 * answer goes back.
 */
export const recheckCases: readonly LawCase[] = (["page-array", "pfn-run"] as const).flatMap((kind) =>
  (["at once", "after a while"] as const).map(
    (when): LawCase => ({
      when: `a handler of ${kind} memory that does not look, and answers ${when}`,
      schedule: "sequential",
      executor: "model",
      kinds: "one",
      *program({ subject: { pageSize, markOf } }) {
        const { binding, asked, release } = yield* user.kernel(function* ({ machine, kernel }) {
          const shown = showMemory(machine, kind, 1);
          const asked = { times: 0 };
          const strategy = careless(kind, when, asked);
          const { memory } = shown;
          const release = () => shown.release();
          const device = createTestDevice(machine, kernel, strategy, { path: PATH, memory, pages: 1 });
          return { binding: device.binding, asked, release };
        });
        const address = yield* mapCareless(pageSize);
        const close = () => user.kernel(() => binding.quiesce());
        if (when === "at once") yield* close();
        let seen: unknown = "nothing yet";
        const toucher = yield* user.thread(function* () {
          seen = yield* user.load(address);
        }, "toucher");
        yield* user.sleep(A_WHILE / 2);
        if (when === "after a while") yield* close();
        yield* user.settle();
        mustBe("a load from what is taken away", seen, "nothing yet");
        mustBe("its thread", yield* user.stateOf(toucher), "blocked");
        mustBe("whether the page has an entry", (yield* user.pagemap(address, 1))[0], false);
        yield* user.kernel(() => binding.resume());
        yield* user.join(toucher);
        mustBe("the load once it is given back", seen, markOf(0));
        mustBe("how often the handler was asked", asked.times, when === "at once" ? 2 : 3);
        yield* user.munmap(address, pageSize);
        release();
      },
    }),
  ),
);

/** Shows one page, whatever the gate is. */
function careless(
  kind: "page-array" | "pfn-run",
  when: Carelessness,
  asked: { times: number },
): MappingStrategy {
  return defineStrategy({
    name: "careless",
    supports: {
      populate: "lazy",
      backing: [kind],
      whileRevoked: "wait",
      mremapGrow: false,
      holes: false,
      largeLeaves: false,
      countsPages: kind === "page-array" ? [kind] : [],
      privateWritable: [],
    },
    create: (kernel) => ({
      mmap(area, { memory }) {
        if (memory.kind === "pfn-run") area.flags |= VM_PFNMAP;
        const answer = (): MayInterleave<FaultOutcome> => {
          asked.times++;
          if (memory.kind === "pfn-run") return mapPfn(memory.pfn);
          const page = memory.kind === "page-array" ? memory.list[0] : undefined;
          return page === undefined ? sigbus : kernel.pages.handOver(page);
        };
        function* answerLater(): Sleepable<FaultOutcome> {
          yield* kernel.time.sleep(A_WHILE);
          const outcome = answer();
          return isGenerator(outcome) ? yield* outcome : outcome;
        }
        return { name: "careless", nopage: when === "at once" ? answer : answerLater };
      },
    }),
  });
}

function* mapCareless(length: number): Steps<number> {
  const request = { path: PATH, mode: "read-write", blocking: "blocking" } as const;
  const descriptor = yield* succeed(`open of ${PATH}`, user.open(request));
  const address = yield* succeed(
    "mmap",
    user.mmap({ length, protection: VM_READ | VM_WRITE, sharing: "shared", pgoff: 0, descriptor }),
  );
  yield* user.close(descriptor);
  return address;
}
