import { EFAULT, type KernelAddress, type Page, type UserAddress, VM_PFNMAP } from "@nopage/core";
import { pages } from "../mapping/right-strategies.ts";
import type { Mutant } from "../mutant.ts";
import { rightPins } from "../pinning/pinning-mutants.ts";
import { wrongCore } from "./core-mutant.ts";
import { eachMm, eachThread } from "./tamper.ts";

const law = { bug: "law" } as const;

/** Mistakes in taking hold of a process's pages. */
export const holdMutants: readonly Mutant[] = [
  wrongCore(
    pages,
    ({ memory }) => {
      memory.copyFrame = (copy) => memory.frames.clear(copy);
    },
    {
      ...law,
      name: "a page that is moved loses what it holds",
      source: "mm/migrate.c folio_migrate_copy",
      caughtBy: { "GP-14": /what it holds then is 0, and must be 1/ },
    },
  ),
  wrongCore(
    rightPins,
    (_machine, { user }) => {
      const get = user.getPages;
      user.getPages = (mm, start, count, request) =>
        get(mm, start, count, { ...request, permission: "forced" });
    },
    {
      bug: "B48",
      name: "every access is forced",
      source: "CVE-2016-5195, fix 19be0eaffa3a",
      caughtBy: {
        "GP-06": /pinning read-only memory for a device that writes answers 0, and must fail with EFAULT/,
      },
    },
  ),
  wrongCore(
    rightPins,
    (_machine, { user }) => {
      const get = user.getPages;
      user.getPages = (mm, start, count, request) => get(mm, start, count, { ...request, access: "read" });
    },
    {
      bug: "B48",
      name: "the write request is dropped",
      source: "CVE-2022-2590, fix 5535be309971",
      caughtBy: {
        "GP-06": /pinning read-only memory for a device that writes answers 0, and must fail with EFAULT/,
      },
    },
  ),
  wrongCore(
    pages,
    (machine, { user, geometry: { pageSize }, memory }) =>
      eachThread(machine, (thread) => {
        const { mm } = thread;
        const proc = thread.proc.bind(thread);
        thread.proc = () => {
          const files = proc();
          files.writeMemory = function* (address, bytes) {
            const offset = address % pageSize;
            const start = (address - offset) as UserAddress;
            const forced = { access: "write", hold: "reference", permission: "forced" } as const;
            const copied = yield* user.getPages(mm, start, 1, forced);
            if (typeof copied === "number") return 0;
            for (const page of copied) yield* user.releasePage(mm, page, "reference", "clean");
            const held = yield* user.getPages(mm, start, 1, { ...forced, access: "read" });
            if (typeof held === "number") return 0;
            for (const page of held) {
              const [value] = bytes;
              memory.kernel.store32((memory.directMap.addressOf(page) + offset) as KernelAddress, value ?? 0);
              yield* user.releasePage(mm, page, "reference", "dirty");
            }
            return bytes.length;
          };
          return files;
        };
      }),
    {
      bug: "B48",
      name: "a forced write looks for the page that it has copied as if it were to read",
      source: "CVE-2016-5195, fix 19be0eaffa3a (FOLL_COW in place of a cleared FOLL_WRITE)",
      schedule: "racy",
      caughtBy: { "GP-07": /what the object shows is 1, and must be 0xface0000/ },
    },
  ),
  wrongCore(
    pages,
    (_machine, { user }) => {
      const get = user.getPages;
      user.getPages = function* (mm, start, count, request) {
        const held = yield* get(mm, start, count, request);
        return typeof held === "number" ? -EFAULT : held;
      };
    },
    {
      ...law,
      name: "every error of get_user_pages is EFAULT",
      source: "mm/gup.c vm_fault_to_errno",
      caughtBy: { "PF-07": /get_user_pages is -EFAULT, and must be -EEXIST/ },
    },
  ),
  wrongCore(
    rightPins,
    (_machine, { user }) => {
      const get = user.getPages;
      user.getPages = function* (mm, start, count, request) {
        const area = mm.areas.find(start);
        const entry = mm.table.entryOf(start / mm.pageSize);
        const isBare = area !== undefined && (area.flags & VM_PFNMAP) !== 0 && entry !== 0;
        return isBare ? [Math.floor(entry / mm.pageSize) as Page] : yield* get(mm, start, count, request);
      };
    },
    {
      bug: "B29",
      name: "bare frames are taken for pages",
      source: "CVE-2021-22543 KVM, fix f8be156be163",
      caughtBy: { "PF-07": /not RAM\), which is not pinned/ },
      sanitizers: ["refcount-underflow"],
    },
  ),
  wrongCore(
    rightPins,
    (machine) =>
      eachMm(machine, (mm) => {
        Object.defineProperty(mm, "hasPinned", { get: () => false, set: () => {} });
      }),
    {
      bug: "B50",
      name: "fork does not look for pins",
      schedule: "racy",
      source: "57efa1fe5957; kernel/fork.c, page_needs_cow_for_dma",
      caughtBy: { "GP-11": /the page that the parent has after its store is 11, and must be 10/ },
    },
  ),
  wrongCore(
    rightPins,
    (machine, { user, pages: counts }) => {
      const get = user.getPages;
      user.getPages = function* (mm, start, count, request) {
        const held = yield* get(mm, start, count, request);
        for (const page of typeof held === "number" ? [] : held) {
          if (page === machine.zeroPage) yield* counts.get(page);
        }
        return held;
      };
    },
    {
      ...law,
      name: "the page of zeros is counted",
      source: "mm/gup.c is_zero_page",
      caughtBy: {
        "GP-12": /the counts of the page of zeros while it is held is \[2, 0\], and must be \[1, 0\]/,
      },
    },
  ),
  wrongCore(
    rightPins,
    (_machine, { user }) => {
      user.chargePins = function* () {
        return 0;
      };
    },
    {
      bug: "B54",
      name: "pins are charged to nobody",
      source: "CVE-2019-3882 vfio, fix 492855939bdb",
      caughtBy: {
        "GP-08": /VmPin after the failure is -ESRCH, and must be 0/,
        "RC-08": /VmPin while they are held is 0, and must be 2/,
      },
    },
  ),
];
