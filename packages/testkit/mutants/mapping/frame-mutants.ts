import { installed, mapPfn, type Pfn, sigbus } from "@nopage/core";
import { finished } from "#src/model/finished";
import type { Mutant } from "../mutant.ts";
import { altered } from "../support/altered.ts";
import { plain } from "../support/placed.ts";
import { frames, remapped } from "./right-strategies.ts";

const ofFrames = { kind: "strategy", schedule: "sequential", right: plain(frames) } as const;
const ofRemapped = { kind: "strategy", schedule: "sequential", right: plain(remapped) } as const;

/** Mistakes in showing bare frames. */
export const frameMutants: readonly Mutant[] = [
  {
    name: "the whole area is filled at a fault without a look at what is there",
    bug: "B25",
    source: "vfio 6a45ece4c9af",
    ...ofFrames,
    schedule: "racy",
    wrong: plain(
      altered(frames, "remaps the whole area at a fault", () => ({
        ops: (right, place) => ({
          *nopagePfn(fault) {
            const { area, backing, kernel } = { ...place, area: fault.area };
            const first = kernel.mappings.firstFrame(backing);
            if (fault.gate !== "open" || first === undefined || fault.pgoff >= backing.pages) {
              return yield* finished(right.nopagePfn?.(fault) ?? sigbus);
            }
            const pfn = (first + area.pgoff) as Pfn;
            const run = { address: area.start, pfn, pages: area.pages, leaves: "large" } as const;
            return (yield* kernel.mappings.remapPfnRange(area, run)) === 0 ? installed : sigbus;
          },
        }),
      })),
    ),
    caughtBy: {
      "PF-10": /remap over the present entry of page/,
      "RE-04": /remap over the present entry of page/,
    },
    sanitizers: ["remap-over-present"],
  },
  {
    name: "a bare frame is answered that is the next one",
    bug: "B06",
    source: "a stock driver",
    ...ofFrames,
    wrong: plain(
      altered(frames, "counts from the area's start", () => ({
        ops: (right, { kernel, backing }) => ({
          nopagePfn(fault) {
            const first = kernel.mappings.firstFrame(backing);
            if (fault.gate !== "open" || first === undefined) return right.nopagePfn?.(fault) ?? sigbus;
            return mapPfn((first + (fault.address - fault.area.start) / kernel.geometry.pageSize) as Pfn);
          },
        }),
      })),
    ),
    caughtBy: {
      "FR-16": /object page 1, mapped from page 1 on, is 0xface0000, and must be 0xface0001/,
      "LC-10": /what is left without 1 pages: object page 1 is 0xface0000, and must be 0xface0001/,
    },
  },
  {
    name: "a bare frame counts in rss",
    bug: "mail 3",
    source: "nopage_dma of mail 3 raises rss for a page that nobody counts",
    ...ofFrames,
    wrong: plain(
      altered(frames, "raises rss", () => ({
        ops: (right) => ({
          *nopagePfn(fault) {
            const answer = yield* finished(right.nopagePfn?.(fault) ?? sigbus);
            if (answer.kind === "pfn") fault.area.mm.rssFile++;
            return answer;
          },
        }),
      })),
    ),
    caughtBy: {
      "FR-12": /rss in pages is 1, and must be 0/,
      "PF-04": /what touching every page adds to VmRSS, in pages is 4, and must be 0/,
      "RC-02": /what touching every page adds to VmRSS, in pages is 4, and must be 0/,
      "RE-07": /what touching every page adds to VmRSS, in pages is 4, and must be 0/,
    },
  },
  {
    name: "the offset is ignored by an eager remap",
    bug: "B03",
    source: "vas: Return -EINVAL if the offset is non-zero",
    ...ofRemapped,
    wrong: plain(
      altered(remapped, "ignores the offset", () => ({
        *mmap({ area, backing, kernel }) {
          const first = kernel.mappings.firstFrame(backing);
          if (first === undefined) return -22;
          area.privateData = 0;
          const run = { address: area.start, pfn: first, pages: area.pages, leaves: "large" } as const;
          return (yield* kernel.mappings.remapPfnRange(area, run)) === 0 ? { name: "remapped" } : -22;
        },
      })),
    ),
    caughtBy: {
      "FR-16": /object page 1, mapped from page 1 on, is 0xface0000, and must be 0xface0001/,
      "LC-10": /mapped from page 1 on: object page 1 is 0xface0000, and must be 0xface0001/,
      "LC-20": /the other mapping: object page 1 is 0xface0000, and must be 0xface0001/,
      "MM-07": /object pages/,
    },
  },
];
