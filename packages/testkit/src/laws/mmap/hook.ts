import { EBUSY, ENXIO, EPERM, isError, owners, VM_MAYWRITE, VM_READ, VM_WRITE } from "@nopage/core";
import { claimMarkedWindow } from "../../marked-window.ts";
import { must, mustBe, mustFail, mustReach, SIGBUS, SIGSEGV_MAPERR, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw } from "../law.ts";
import { areaAt } from "../support/accounts.ts";
import { cannotFail, failNext } from "../support/failing-hooks.ts";
import { countsNoHooks, countsOf, mustHaveRun } from "../support/hook-counts.ts";
import { mapAnywhere } from "../support/own-memory.ts";
import { entriesIn, mapPlanted, plantDevice, setOps } from "../support/planted-device.ts";
import { mustBeUnmapped, mustShow } from "../support/shown-pages.ts";

const PATH = "/dev/law";

/** What the mmap hook finds, what it may do, and what is left of it when it fails. */
export const hookLaws: readonly AnyLaw[] = [
  {
    id: "MM-06",
    level: "required",
    owner: ["core"],
    rule: "a fixed mapping MUST remove, and close, what it covers before the hook runs; if the hook then fails the range MUST stay empty",
    source: "mm/mmap.c __mmap_region, mmap_region",
    cases: [
      {
        when: "over private memory, with a hook that refuses",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize } = subject;
          const request = {
            length: 3 * pageSize,
            protection: VM_READ | VM_WRITE,
            sharing: "private",
          } as const;
          const start = yield* succeed("mmap of private memory", user.mmap(request));
          for (let page = 0; page < 3; page++) yield* user.store(start + page * pageSize, page + 1);
          const answer = yield* subject.map({ first: subject.pages, pages: 1, fixedAt: start + pageSize });
          must(isError(answer), "mmap of a range outside the object succeeds, and must fail");
          yield* mustBeUnmapped(subject, "the range of the failed mapping", start + pageSize, 1);
          mustBe("the page below it", mustReach("a load below it", yield* user.load(start)), 1);
          const above = yield* user.load(start + 2 * pageSize);
          mustBe("the page above it", mustReach("a load above it", above), 3);
        },
      },
      {
        when: "over a mapping of the same object",
        schedule: "sequential",
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* mustShow(subject, "the first mapping", { address, first: 0, pages });
          const before = yield* countsOf(subject);
          const again = subject.map({ first: 1, pages: pages - 1, fixedAt: address });
          mustBe("the place of the fixed mapping", yield* again, address);
          if (subject.counts !== undefined) {
            // The old area is cut where the new one ends, and the piece below goes.
            yield* mustHaveRun(subject, "a fixed mapping over part of another", before, {
              opens: 1,
              closes: 1,
            });
          }
          yield* mustShow(subject, "the new mapping", { address, first: 1, pages: pages - 1 });
          const rest = address + (pages - 1) * pageSize;
          yield* mustShow(subject, "the rest of the old", { address: rest, first: pages - 1, pages: 1 });
        },
      },
      {
        when: "in the order that the driver sees",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program({ subject: { pageSize } }) {
          const seen: string[] = [];
          let entriesAtHook = 0;
          let mmaps = 0;
          const device = yield* plantDevice(PATH, 2, (inside, own) => ({
            *mmap(_file, area) {
              seen.push("mmap");
              entriesAtHook += entriesIn(area.mm, area.start, area.pages);
              if (++mmaps > 1) return -EBUSY;
              setOps(area, { close: () => void seen.push("close") });
              const { start: address, pages } = area;
              const request = { address, pfn: own.frame(0), pages, leaves: "single" } as const;
              return yield* inside.kernel.mappings.remapPfnRange(area, request);
            },
          }));
          const address = yield* succeed("mmap", mapPlanted(device, 2 * pageSize));
          mustFail(
            "a fixed mapping over it",
            yield* mapPlanted(device, 2 * pageSize, { fixedAt: address }),
            EBUSY,
          );
          mustBe("the order of the driver's hooks", seen, ["mmap", "close", "mmap"]);
          mustBe("the number of entries that the hook finds in its range", entriesAtHook, 0);
          mustBe("a load from the range", yield* user.load(address), SIGSEGV_MAPERR);
        },
      },
    ],
  },
  {
    id: "MM-08",
    level: "required",
    owner: ["core"],
    rule: "a hook's errno MUST reach the caller unchanged; its area MUST NOT be opened or closed, and what the hook mapped MUST be gone",
    source: "mm/util.c mmap_file; mm/mmap.c unmap_and_free_file_vma; CVE-2024-53096",
    cases: [
      {
        when: "the subject's own hook",
        schedule: "sequential",
        excluded: (stage) => cannotFail(stage) ?? countsNoHooks(stage),
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const fixedAt = yield* succeed("mmap", subject.map());
          mustBe("munmap", yield* user.munmap(fixedAt, pages * pageSize), 0);
          const { size, rss } = yield* user.memoryStatus();
          const before = yield* countsOf(subject);
          for (const errno of [EPERM, ENXIO, EBUSY]) {
            yield* failNext(subject, "mmap", errno);
            mustFail("mmap with a hook that fails", yield* subject.map({ fixedAt }), errno);
            yield* mustBeUnmapped(subject, "the range of a failed mapping", fixedAt, pages);
          }
          yield* mustHaveRun(subject, "mappings that failed", before, { opens: 0, closes: 0 });
          const after = yield* user.memoryStatus();
          mustBe("the size of the address space", after.size, size);
          mustBe("its resident pages", after.rss, rss);
          mustBe("the place of the next mapping", yield* subject.map({ fixedAt }), fixedAt);
          yield* mustShow(subject, "the next mapping", { address: fixedAt, first: 0, pages });
        },
      },
      {
        when: "while the device is removed",
        schedule: "racy",
        excluded: ({ subject }) => (subject.remove === undefined ? "it cannot be removed" : undefined),
        *program({ subject }) {
          const { remove } = subject;
          const remover = yield* user.thread(function* () {
            if (remove !== undefined) yield* remove();
          }, "remover");
          const address = yield* subject.map({ pages: 1 });
          yield* user.join(remover);
          if (isError(address)) return;
          mustBe("a load through a mapping that was made meanwhile", yield* user.load(address), SIGBUS);
        },
      },
      {
        when: "a hook that has set operations and made entries",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program({ subject: { pageSize } }) {
          let [opens, closes, start] = [0, 0, 0];
          const device = yield* plantDevice(PATH, 1, ({ kernel }, own) => ({
            *mmap(_file, area) {
              start = area.start;
              setOps(area, { open: () => void opens++, close: () => void closes++ });
              const request = { address: area.start, pfn: own.frame(0), pages: 1, leaves: "single" } as const;
              mustBe("remap", yield* kernel.mappings.remapPfnRange(area, request), 0);
              return -ENXIO;
            },
          }));
          mustFail("mmap", yield* mapPlanted(device, pageSize), ENXIO);
          mustBe("opens and closes of an area whose hook failed", [opens, closes], [0, 0]);
          const left = yield* user.kernel(function* ({ thread }) {
            return entriesIn(thread.mm, start, 1);
          });
          mustBe("the number of entries that are left of a failed hook", left, 0);
          mustBe("a load from where it would have been", yield* user.load(start), SIGSEGV_MAPERR);
        },
      },
      {
        when: "a hook that has mapped counted pages",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program({ subject: { pageSize } }) {
          const references = yield* user.kernel(function* ({ machine }) {
            return machine.memory.frames.refcount;
          });
          const page = yield* user.kernel(function* ({ machine }) {
            return machine.memory.pages.allocZeroedPage(owners.driver);
          });
          if (page === undefined) throw new Error("the law's machine is out of memory");
          const device = yield* plantDevice(PATH, 1, ({ kernel }) => ({
            *mmap(_file, area) {
              mustBe("vm_insert_page", yield* kernel.mappings.insertPage(area, area.start, page), 0);
              return -ENXIO;
            },
          }));
          mustFail("mmap", yield* mapPlanted(device, pageSize), ENXIO);
          mustBe("the references on a page that a failed hook mapped", references[page], 1);
          mustBe("resident pages", (yield* user.memoryStatus()).rss, 0);
          yield* user.kernel(({ kernel }) => kernel.pages.put(page));
        },
      },
    ],
  },
  {
    id: "MM-09",
    level: "required",
    owner: ["driver", "strategy"],
    rule: "a hook may change flags, offset, cache mode, operations and private data; it MUST NOT move the area's bounds or allow stores that the file does not",
    source: "mm/mmap.c __mmap_region; the fix `binder: Don't modify VMA bounds in ->mmap handler`",
    cases: [
      {
        when: "opened for reading and writing",
        schedule: "sequential",
        *program({ subject }) {
          for (const [first, pages] of [
            [0, subject.pages],
            [1, 2],
          ] as const) {
            const address = yield* succeed("mmap", subject.map({ first, pages }));
            const area = (yield* user.smaps()).find(({ start }) => start === address);
            mustBe("the end of the new area", area?.end, address + pages * subject.pageSize);
            yield* mustShow(subject, "the mapping", { address, first, pages });
          }
        },
      },
      {
        when: "opened for reading",
        schedule: "sequential",
        *program({ subject }) {
          const descriptor = yield* succeed("open for reading", subject.open("read"));
          const address = yield* succeed("mmap", subject.map({ descriptor, protection: VM_READ }));
          const area = (yield* user.smaps()).find(({ start }) => start === address);
          mustBe("the end of the new area", area?.end, address + subject.pages * subject.pageSize);
          const mayBeWritten = area?.flags.includes("mw") ?? true;
          must(
            !mayBeWritten,
            "a mapping of a file that is open for reading may become writable, and must not",
          );
          yield* user.close(descriptor);
        },
      },
      ...(["start", "end"] as const).map((bound) => ({
        when: `a hook that moves the ${bound}`,
        schedule: "sequential" as const,
        kinds: "one" as const,
        executor: "model" as const,
        provokes: "area-rule" as const,
        *program({
          subject: { pageSize },
        }: {
          readonly subject: { readonly pageSize: number };
        }): Steps<void> {
          const device = yield* plantDevice(PATH, 2, () => ({
            mmap(_file, area) {
              const moved = area as { start: number; end: number };
              moved[bound] += pageSize;
              return setOps(area, {});
            },
          }));
          const address = yield* succeed("mmap", mapPlanted(device, 2 * pageSize));
          const area = yield* areaAt(address);
          mustBe("the bounds of the area", [area.start, area.end], [address, address + 2 * pageSize]);
          mustBe("munmap", yield* user.munmap(address, 2 * pageSize), 0);
          mustBe("VmSize", (yield* user.memoryStatus()).size, 0);
        },
      })),
      {
        when: "a hook that allows stores to what is open for reading",
        schedule: "sequential",
        kinds: "one",
        executor: "model",
        provokes: "area-rule",
        *program({ subject: { pageSize } }) {
          const device = yield* plantDevice(PATH, 1, () => ({
            mmap(_file, area) {
              area.flags |= VM_MAYWRITE;
              return setOps(area, {});
            },
          }));
          const open = user.open({ path: device.path, mode: "read", blocking: "blocking" });
          const descriptor = yield* succeed("open for reading", open);
          const request = { length: pageSize, protection: VM_READ, sharing: "shared", descriptor } as const;
          yield* succeed("mmap", user.mmap(request));
          yield* user.close(descriptor);
        },
      },
    ],
  },
  {
    id: "MM-10",
    level: "model-only",
    owner: ["core"],
    rule: "an area of a driver MUST NOT become anonymous memory: without operations, a touch of a page that is not there MUST be SIGBUS",
    source: "include/linux/mm.h vma_init; mm/memory.c do_fault",
    cases: [
      ...(["no operations", "operations without a fault hook"] as const).map((kind) => ({
        when: kind,
        schedule: "sequential" as const,
        kinds: "one" as const,
        *program({ subject: { pageSize } }: { readonly subject: { readonly pageSize: number } }) {
          const device = yield* plantDevice(PATH, 1, () => ({
            mmap: (_file, area) => (kind === "no operations" ? 0 : setOps(area, { close: () => {} })),
          }));
          const address = yield* succeed("mmap", mapPlanted(device, 2 * pageSize));
          for (const at of [address, address + pageSize]) {
            mustBe("a load", yield* user.load(at), SIGBUS);
            mustBe("a store", yield* user.store(at, 1), SIGBUS);
          }
          mustBe("resident pages", (yield* user.memoryStatus()).rss, 0);
          mustBe("an entry is there", (yield* user.pagemap(address, 2)).includes(true), false);
        },
      })),
      {
        when: "a driver that puts a frame into anonymous memory",
        schedule: "sequential",
        kinds: "one",
        provokes: "area-rule",
        *program({ subject }) {
          const address = yield* mapAnywhere(subject, 1);
          const said = yield* user.kernel(function* ({ machine, kernel, thread }) {
            const { range } = claimMarkedWindow(machine, 1);
            const area = thread.mm.areas.find(address);
            if (area === undefined) throw new Error("private memory is not mapped");
            const answer = yield* kernel.mappings.insertPfn(area, area.start, range.startPfn);
            mustBe("the answer of insertPfn", answer.kind, "sigbus");
            return machine.violations.list.at(-1)?.message ?? "";
          });
          must(said.includes("(anonymous)"), `the report does not say what memory it is about: ${said}`);
          mustBe("a load", yield* user.load(address), 0);
        },
      },
    ],
  },
];
