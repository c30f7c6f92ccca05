import { type FaultOutcome, owners, type Page, type PfnOutcome, VM_MIXEDMAP, VM_PFNMAP } from "@nopage/core";
import { must, mustBe, SIGBUS } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import type { LawCase } from "../law.ts";
import { type OwnDevice, type OwnDeviceShape, ownDevice } from "../support/own-device.ts";
import { reports } from "../support/reports.ts";

/** An answer of a hook that breaks its contract, and how the report of it goes on from the hook's name. */
interface WrongAnswer {
  readonly answer: (device: OwnDevice) => unknown;
  readonly said: string;
}

/** What `nopage` and `nopagePfn` may not answer: told by plugin and hook, SIGBUS for the thread, and nothing left behind. */
export const wrongAnswers: readonly LawCase[] = [
  wrong("answers of no known form", "nopage", [
    { answer: () => ({ kind: "pages" }), said: "answered kind pages; the kinds are page, pfn" },
    { answer: () => ({ kind: 7 }), said: "answered kind 7; the kinds are page, pfn" },
    { answer: () => null, said: "answered null instead of a fault outcome" },
    {
      answer: () => {
        throw new Error("out of order");
      },
      said: "threw Error: out of order",
    },
  ]),
  wrong("pages that cannot be mapped", "nopage", [
    {
      answer: () => ({ kind: "page", page: 2 ** 30 }),
      said: "answered page 1073741824, which has no struct page",
    },
    { answer: () => ({ kind: "page", page: -1 }), said: "answered page -1, which has no struct page" },
    { answer: () => ({ kind: "page", page: 1.5 }), said: "answered page 1.5, which has no struct page" },
    {
      answer: ({ machine: { memory } }) => {
        const page = memory.pages.allocPage(owners.driver) as Page;
        memory.frames.put(page);
        return { kind: "page", page };
      },
      said: "answered page",
    },
  ]),
  wrong(
    "a page for an area of bare pfns",
    "nopage",
    [{ answer: ({ kernel, pages }) => kernel.pages.handOver(pages[0] as Page), said: "answered page" }],
    bare(VM_PFNMAP),
  ),
  wrong(
    "a page from the hook that has only pfns to give",
    "nopagePfn",
    [
      {
        answer: ({ kernel, pages }) => kernel.pages.handOver(pages[0] as Page),
        said: "answered a page, which it has none of to give",
      },
    ],
    bare(VM_MIXEDMAP),
  ),
  wrong(
    "a pfn that is no frame number",
    "nopagePfn",
    [
      { answer: () => ({ kind: "pfn", pfn: -1 }), said: "answered kind pfn with -1 where a frame number" },
      { answer: () => ({ kind: "pfn", pfn: "7" }), said: "answered kind pfn with 7 where a frame number" },
    ],
    bare(VM_PFNMAP),
  ),
];

/** A device whose mmap hook says that its area shows bare pfns. */
function bare(flag: number): OwnDeviceShape {
  return {
    mmap: (area) => {
      area.flags |= flag;
      return 0;
    },
  };
}

function wrong(
  when: string,
  hook: "nopage" | "nopagePfn",
  answers: readonly WrongAnswer[],
  shape: OwnDeviceShape = {},
): LawCase {
  return {
    when,
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    provokes: "contract",
    *program() {
      const left = [...answers];
      const device = yield* ownDevice({
        ...shape,
        ops: (own) => ({
          [hook]: () => left.shift()?.answer(own) as FaultOutcome & PfnOutcome,
        }),
      });
      const { address } = yield* device.mapped();
      for (const { said } of answers) {
        const before = (yield* reports()).length;
        mustBe(`a load for which the hook ${said}`, yield* user.load(address), SIGBUS);
        must(!(yield* user.pagemap(address, 1)).includes(true), `an entry is left where the hook ${said}`);
        const [told = "nothing", ...more] = (yield* reports()).slice(before);
        must(told.startsWith(`own device: ${hook} ${said}`), `what is reported is: ${told}`);
        mustBe("what else is reported", more, []);
      }
      mustBe("references to the driver's pages", device.extraReferences(), [0, 0, 0, 0]);
      yield* device.release();
    },
  };
}
