import { must, mustBe } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import type { LawCase } from "../law.ts";
import { privateMemory } from "../support/private-memory.ts";

/** For RV-01: the order of a removal as the event log has it, with a page that two CPUs have a translation of. */
export const loggedRemovalCase: LawCase = {
  when: "munmap of what two CPUs use, by the event log",
  schedule: "sequential",
  executor: "model",
  kinds: "one",
  machine: { eventLog: "on", cpus: 2 },
  *program({ subject: { pageSize } }) {
    const own = yield* privateMemory(pageSize, [7]);
    const other = yield* user.thread(function* () {
      mustBe("a load by the other CPU", yield* user.load(own), 7);
      yield* user.sleep(1000);
    });
    yield* user.sleep(10);
    yield* user.load(own);
    const from = yield* user.kernel(function* ({ machine }) {
      return machine.log.length;
    });
    yield* user.munmap(own, pageSize);
    const names = yield* user.kernel(function* ({ machine }) {
      return [...machine.log.events(from)].map(({ name }) => name);
    });
    const steps = names.filter((name) => /^(pte-clear|tlb-flush|tlb-shootdown|page-free)$/.test(name));
    must(steps.includes("tlb-shootdown"), `no other CPU's translation is flushed: ${steps.join(", ")}`);
    const flushes = steps.filter((name) => name.startsWith("tlb-")).sort();
    mustBe("the flushes", flushes, ["tlb-flush", "tlb-shootdown"]);
    mustBe("what is done first, and last", [steps[0], steps.at(-1)], ["pte-clear", "page-free"]);
    yield* user.join(other);
  },
};
