import { LawBroken, mustBe, mustReach, SIGBUS, succeed } from "../../program/expect.ts";
import type { Actor } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw, Stage } from "../law.ts";
import { areaAt, mustHaveFaulted, mustHaveGrown, references, residentPages } from "../support/accounts.ts";
import { existingPages } from "../support/existing-pages.ts";
import { gateOf } from "../support/gate-of.ts";
import { mustShow } from "../support/shown-pages.ts";
import { forkedLeafCases, privateLeafCase } from "./large-leaves.ts";

/** What frames that nobody counts mean for who maps them. */
export const bareFrameLaws: readonly AnyLaw[] = [
  {
    id: "RE-07",
    level: "capability",
    owner: ["strategy", "driver"],
    rule: "bare frames MUST count nowhere, so that the owner alone sees to it that nobody reaches them any more once they are taken away",
    source: "mm/memory.c remap_pte_range, vm_normal_page; CVE-2024-0582",
    cases: [
      {
        when: "rss",
        schedule: "sequential",
        excluded: countsPages,
        *program({ subject }) {
          const before = yield* residentPages();
          const address = yield* succeed("mmap", subject.map());
          yield* mustHaveGrown("mmap", before, 0);
          yield* mustShow(subject, "the mapping", { address, first: 0, pages: subject.pages });
          yield* mustHaveGrown("touching every page", before, 0);
          mustBe("Rss of the area", (yield* areaAt(address)).rss, 0);
        },
      },
      {
        when: "references",
        schedule: "sequential",
        executor: "model",
        excluded: countsPages,
        *program({ subject }) {
          const before = yield* references();
          const address = yield* succeed("mmap", subject.map());
          yield* mustShow(subject, "the mapping", { address, first: 0, pages: subject.pages });
          mustBe("the references that the mapping holds", (yield* references()) - before, 0);
        },
      },
      {
        when: "frames that the owner takes away for a while",
        schedule: "sequential",
        excluded: (stage) =>
          countsPages(stage) ?? (stage.subject.gate === undefined ? "it has no gate" : undefined),
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* mustShow(subject, "the mapping", { address, first: 0, pages: subject.pages });
          yield* gateOf(subject).close();
          let seen: unknown = "nothing yet";
          const toucher = yield* user.thread(function* () {
            seen = yield* user.load(address);
          }, "toucher");
          yield* user.settle();
          const expected = subject.supports.whileRevoked === "wait" ? "nothing yet" : SIGBUS;
          mustBe("what is seen of frames that the owner has taken away", seen, expected);
          yield* gateOf(subject).open();
          yield* user.join(toucher);
          yield* mustShow(subject, "the mapping afterwards", { address, first: 0, pages: subject.pages });
        },
      },
      {
        when: "frames that the owner takes away",
        schedule: "sequential",
        excluded: (stage) =>
          countsPages(stage) ?? (stage.subject.resize === undefined ? "its length is fixed" : undefined),
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const address = yield* succeed("mmap", subject.map());
          const child = yield* user.fork(() => stayUntilShrunk());
          yield* mustShow(subject, "the mapping", { address, first: 0, pages });
          yield* user.settle();
          yield* succeed("shrinking the object", subject.resize?.(1) ?? none());
          for (let page = 1; page < pages; page++) {
            const seen = yield* user.load(address + page * pageSize);
            mustBe(`page ${page}, which the owner has taken away,`, seen, SIGBUS);
          }
          mustBe("page 0, which is left,", yield* user.load(address), subject.markOf(0));
          yield* user.join(actorOf(child));

          function* stayUntilShrunk() {
            yield* mustShow(subject, "the child's mapping", { address, first: 0, pages });
            yield* user.sleep(SHRUNK_BY);
            const seen = yield* user.load(address + pageSize);
            mustBe("page 1 in the child, taken away meanwhile,", seen, SIGBUS);
          }
        },
      },
    ],
  },
  {
    id: "RE-11",
    level: "required",
    owner: ["core"],
    rule: "fork MUST copy the entries of bare frames and of mixed areas; those of other shared mappings it MUST leave to be faulted in by the child",
    source: "mm/memory.c vma_needs_copy",
    cases: [
      {
        when: "",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          const there = existingPages(subject);
          for (const page of there) yield* user.load(address + page * pageSize);
          const { flags } = yield* areaAt(address);
          const minor = flags.includes("pf") || flags.includes("mm") ? 0 : there.length;
          const child = yield* user.fork(function* () {
            const before = yield* user.faults();
            yield* mustShow(subject, "the child's mapping", { address, first: 0, pages: subject.pages });
            yield* mustHaveFaulted("the child's first touches", before, { minor, major: 0 });
          });
          yield* user.join(actorOf(child));
        },
      },
      ...forkedLeafCases,
    ],
  },
  {
    id: "RE-12",
    level: "capability",
    owner: ["core", "strategy"],
    rule: "a store to a private mapping of bare frames MUST go to a copy and MUST leave the device as it is; whatever becomes of the rest, the copy stays, and no account shows it",
    source: "mm/memory.c do_wp_page; mm/pagewalk.c walk_page_test; CVE-2024-35877",
    cases: [
      {
        when: "",
        schedule: "sequential",
        excluded: hasNoPrivateFrames,
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const address = yield* succeed("private mmap", subject.map({ sharing: "private" }));
          const shared = yield* succeed("shared mmap", subject.map());
          yield* mustShow(subject, "the private mapping", { address, first: 0, pages });
          mustReach("a store to its first page", yield* user.store(address, 77));
          mustBe("the first page", yield* user.load(address), 77);
          yield* mustShow(subject, "the shared mapping", { address: shared, first: 0, pages });
          if (subject.peek !== undefined) {
            mustBe("the page as its owner sees it", yield* subject.peek(0), subject.markOf(0));
          }
          mustBe("Rss of the private mapping", (yield* areaAt(address)).rss, 0);
          yield* mustShow(subject, "the rest", { address: address + pageSize, first: 1, pages: pages - 1 });
        },
      },
      {
        when: "taken away, given back, forked and cut",
        schedule: "sequential",
        excluded: (stage) =>
          hasNoPrivateFrames(stage) ?? (stage.subject.gate === undefined ? "it has no gate" : undefined),
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const address = yield* succeed("private mmap", subject.map({ sharing: "private" }));
          const rest = { address: address + pageSize, first: 1, pages: pages - 1 };
          yield* user.store(address, 77);
          yield* gateOf(subject).close();
          mustBe("the copy while the object is taken away", yield* user.load(address), 77);
          yield* gateOf(subject).open();
          mustBe("the copy afterwards", yield* user.load(address), 77);
          yield* mustShow(subject, "the rest afterwards", rest);
          const child = yield* user.fork(function* () {
            mustBe("the copy in a child", yield* user.load(address), 77);
            yield* mustShow(subject, "the rest in a child", rest);
          });
          yield* user.join(actorOf(child));
          yield* succeed("munmap of the copy", user.munmap(address, pageSize));
          yield* mustShow(subject, "the rest without the copy", rest);
          yield* gateOf(subject).close();
          yield* gateOf(subject).open();
          yield* mustShow(subject, "the rest, taken and given back without the copy,", rest);
        },
      },
      privateLeafCase,
    ],
  },
];

/** Longer than what the parent does before it shrinks the object: twice the time in which everybody settles. */
const SHRUNK_BY = 2_000_000_000;

function countsPages({ subject: { supports } }: Stage): string | undefined {
  return supports.countsPages ? "what it maps are counted pages" : undefined;
}

function hasNoPrivateFrames({ subject: { supports } }: Stage): string | undefined {
  return supports.privateWritable && !supports.countsPages
    ? undefined
    : "it has no private mappings of frames";
}

function actorOf(child: Actor | number): Actor {
  if (typeof child === "number") throw new LawBroken(`fork answers ${child}, and must succeed`);
  return child;
}

function* none() {
  return 0;
}
