import { EWOULDBLOCK, mapPfn, type Sleepable, VM_IO, VM_MIXEDMAP } from "@nopage/core";
import { markOf } from "../../mark.ts";
import { must, mustBe, mustFail, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw, Stage } from "../law.ts";
import { countsOf, mustHaveAlive } from "../support/hook-counts.ts";
import {
  entriesIn,
  mapPlanted,
  openPlanted,
  type PlantedDevice,
  plantDevice,
  setOps,
} from "../support/planted-device.ts";
import { isSmallerThan, unmap } from "../support/reserved-range.ts";
import { mustShow } from "../support/shown-pages.ts";
import { forked } from "./fork.ts";

/** Longer than a process here needs for anything, in virtual nanoseconds. */
const LONG_NS = 1_000_000;

/** How areas, files and processes end. */
export const endingLaws: readonly AnyLaw[] = [
  {
    id: "LC-06",
    level: "model-only",
    owner: ["core"],
    rule: "when close runs no entry of its range MUST be left; the file MUST be given back only after close has returned",
    source: "mm/mmap.c unmap_region, remove_vma, exit_mmap",
    cases: [
      {
        when: "munmap",
        schedule: "sequential",
        *program({ subject }) {
          const seen: string[] = [];
          const device = yield* tellingDevice(seen);
          const address = yield* succeed("mmap", mapPlanted(device, 2 * subject.pageSize));
          yield* unmap(subject, address, 2);
          mustBe("what the driver sees of munmap", seen, ["close, 0 entries", "release"]);
        },
      },
      {
        when: "munmap of one page, then of the other",
        schedule: "sequential",
        *program({ subject }) {
          const seen: string[] = [];
          const device = yield* tellingDevice(seen);
          const address = yield* succeed("mmap", mapPlanted(device, 2 * subject.pageSize));
          yield* unmap(subject, address + subject.pageSize, 1);
          mustBe("what the driver sees of a partial munmap", seen, ["close, 0 entries"]);
          yield* unmap(subject, address, 1);
          mustBe("what the driver sees of the rest", seen.slice(1), ["close, 0 entries", "release"]);
        },
      },
      {
        when: "exit",
        schedule: "sequential",
        *program({ subject }) {
          const seen: string[] = [];
          const device = yield* tellingDevice(seen);
          const mapper = yield* user.process(function* () {
            yield* succeed("mmap", mapPlanted(device, 2 * subject.pageSize));
          });
          yield* user.join(mapper);
          mustBe("what the driver sees of an exit", seen, ["close, 0 entries", "release"]);
        },
      },
    ],
  },
  {
    id: "LC-18",
    level: "required",
    owner: ["core"],
    rule: "a mapping MUST outlive its descriptor and stay usable; the file, and with it its module, MUST be given back only when the last area is gone",
    source: "mm/mmap.c remove_vma (fput)",
    cases: [
      {
        when: "the descriptor is closed",
        schedule: "sequential",
        about: ["mapping", "mirroring"],
        *program({ subject }) {
          const { pages } = subject;
          const descriptor = yield* succeed("open", subject.open());
          const address = yield* succeed("mmap", subject.map({ descriptor }));
          mustBe("close", yield* user.close(descriptor), 0);
          yield* mustShow(subject, "the mapping", { address, first: 0, pages });
          mustBe("a store goes through", yield* subject.put(address + 8, 42), true);
          mustBe("what was stored", yield* subject.reach(address + 8), 42);
        },
      },
      {
        when: "the module is to be unloaded",
        schedule: "sequential",
        excluded: ({ subject }) => (subject.module === undefined ? "no module is behind it" : undefined),
        *program({ subject }) {
          const { pages, module = "", pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* forked(function* () {
            mustFail(
              "delete_module while two processes map it",
              yield* user.deleteModule(module),
              EWOULDBLOCK,
            );
          });
          yield* unmap(subject, address, pages - 1);
          mustFail("delete_module while one page is mapped", yield* user.deleteModule(module), EWOULDBLOCK);
          const last = { address: address + (pages - 1) * pageSize, first: pages - 1, pages: 1 };
          yield* mustShow(subject, "the last page", last);
          yield* unmap(subject, last.address, 1);
          mustBe("delete_module once nothing is mapped", yield* user.deleteModule(module), 0);
        },
      },
      {
        when: "as the driver sees it",
        schedule: "sequential",
        executor: "model",
        *program({ subject }) {
          const seen: string[] = [];
          const device = yield* tellingDevice(seen);
          const address = yield* succeed("mmap", mapPlanted(device, 2 * subject.pageSize));
          const releases = (): number => seen.filter((what) => what === "release").length;
          mustBe("releases after close(2)", releases(), 0);
          yield* unmap(subject, address, 1);
          mustBe("releases after a partial munmap", releases(), 0);
          const child = yield* user.fork(function* () {
            yield* user.sleep(LONG_NS);
            mustBe("releases while only the child maps it", releases(), 0);
            const seenByChild = yield* user.load(address + subject.pageSize);
            mustBe("what the child sees", seenByChild, markOf(1));
          });
          yield* unmap(subject, address + subject.pageSize, 1);
          if (typeof child !== "number") yield* user.join(child);
          mustBe("releases once all areas are gone", releases(), 1);
        },
      },
    ],
  },
  {
    id: "LC-19",
    level: "required",
    owner: ["core"],
    rule: "exit MUST let followers go, then unmap and free, then close each area, and only then give files back; nothing MUST be left",
    source: "mm/mmap.c exit_mmap; kernel/exit.c do_exit; mail 4 of 1998",
    cases: [
      ...(["ends", "is killed"] as const).map((how) => ({
        when: `a process ${how} that has not unmapped it`,
        schedule: "sequential" as const,
        about: ["mapping", "mirroring"] as const,
        *program({ subject }: Stage): Steps<void> {
          const before = yield* countsOf(subject);
          const mapper = yield* user.process(function* () {
            const address = yield* succeed("mmap", subject.map());
            yield* mustShow(subject, "the mapping", { address, first: 0, pages: subject.pages });
            yield* subject.put(address + 8, 7);
            if (how === "is killed") yield* user.sleep(LONG_NS);
          });
          if (how === "is killed") {
            yield* user.sleep(LONG_NS / 2);
            yield* user.kill(mapper, "SIGKILL");
          }
          const ended = yield* user.join(mapper);
          must("signal" in ended === (how === "is killed"), `a process that ${how} ended otherwise`);
          if (subject.counts === undefined) return;
          const { mmaps } = yield* countsOf(subject);
          mustBe("the number of mmap hooks", mmaps - before.mmaps, 1);
          yield* mustHaveAlive(subject, "the end of its process", 0);
        },
      })),
      {
        when: "in the order that the driver sees",
        schedule: "sequential",
        executor: "model",
        *program({ subject }) {
          const { pageSize } = subject;
          const seen: string[] = [];
          const device = yield* tellingDevice(seen);
          const mapper = yield* user.process(function* () {
            const descriptor = yield* openPlanted(device);
            const address = yield* succeed("mmap", mapPlanted(device, 2 * pageSize, { descriptor }));
            yield* user.load(address);
            yield* user.kernel(function* ({ kernel, thread: { mm } }) {
              const registered = yield* kernel.mappings.registerNotifier(mm, {
                name: "law",
                *release(): Sleepable<void> {
                  seen.push(`follower let go, ${entriesIn(mm, address, 2)} entries`);
                  kernel.time.spawnKernelThread(
                    "unregister",
                    () => kernel.mappings.unregisterNotifier(mm, this),
                    "required",
                  );
                },
              });
              mustBe("registering a notifier", registered, 0);
            });
          });
          yield* user.join(mapper);
          mustBe("what the driver sees of an exit", seen, [
            "follower let go, 2 entries",
            "close, 0 entries",
            "release",
          ]);
        },
      },
    ],
  },
  {
    id: "LC-20",
    level: "required",
    owner: ["strategy", "core"],
    rule: "munmap may close an area with the mmap lock held for reading only: a fault elsewhere MUST go through meanwhile, whatever close and the fault share",
    source: "mm/mmap.c do_mas_align_munmap (mmap_write_downgrade)",
    cases: [
      {
        when: "one thread unmaps, another touches",
        schedule: "racy",
        excluded: isSmallerThan(2),
        *program({ subject }) {
          const gone = yield* succeed("mmap", subject.map({ pages: 1 }));
          const stays = yield* succeed("another mmap", subject.map({ first: 1, pages: 1 }));
          const unmapper = yield* user.thread(() => unmap(subject, gone, 1), "unmapper");
          yield* mustShow(subject, "the other mapping", { address: stays, first: 1, pages: 1 });
          yield* user.join(unmapper);
          yield* mustShow(subject, "the other mapping", { address: stays, first: 1, pages: 1 });
        },
      },
      {
        when: "a close that waits for a fault elsewhere",
        schedule: "sequential",
        executor: "model",
        *program({ subject }) {
          const { pageSize } = subject;
          let hasFaulted = false;
          const device = yield* plantDevice("/dev/law", 2, ({ kernel }, own) => {
            const faulted = kernel.sync.waitQueue("a fault elsewhere");
            return {
              mmap(_file, area) {
                area.flags |= VM_IO | VM_MIXEDMAP;
                return setOps(area, {
                  *nopagePfn({ pgoff }) {
                    hasFaulted = true;
                    yield* faulted.wakeAll();
                    return mapPfn(own.frame(pgoff));
                  },
                  *close() {
                    yield* faulted.waitUntil(() => hasFaulted, "uninterruptible");
                  },
                });
              },
            };
          });
          const gone = yield* succeed("mmap", mapPlanted(device, pageSize));
          const stays = yield* succeed("another mmap", mapPlanted(device, pageSize, { first: 1 }));
          const unmapper = yield* user.thread(() => unmap(subject, gone, 1), "unmapper");
          yield* user.settle();
          mustBe("the state of a close that waits", yield* user.stateOf(unmapper), "blocked");
          mustBe("a load elsewhere meanwhile", yield* user.load(stays), markOf(1));
          yield* user.join(unmapper);
        },
      },
    ],
  },
];

/** A device whose mappings are made in the mmap hook, and that tells of each close, and of the release of its file. */
function tellingDevice(seen: string[]): Steps<PlantedDevice> {
  return plantDevice("/dev/law", 2, ({ kernel }, own) => ({
    *mmap(_file, area) {
      setOps(area, {
        close: ({ mm, start, pages }) => void seen.push(`close, ${entriesIn(mm, start, pages)} entries`),
      });
      const request = { address: area.start, pfn: own.frame(0), pages: 2, leaves: "single" } as const;
      return yield* kernel.mappings.remapPfnRange(area, request);
    },
    release: () => void seen.push("release"),
  }));
}
