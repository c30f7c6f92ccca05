import { pages } from "../mapping/right-strategies.ts";
import type { Mutant } from "../mutant.ts";
import { wrongCore, wrongMachine } from "./core-mutant.ts";

const law = { bug: "law" } as const;

/** Mistakes in what is counted and charged. */
export const countMutants: readonly Mutant[] = [
  wrongCore(
    pages,
    ({ memory }) => {
      memory.pages.allocZeroedPage = (owner) => memory.pages.allocPage(owner);
    },
    {
      bug: "B65",
      name: "pages are handed out as they are",
      source: "drivers/char/mem.c 5c1733e33c88; GFP_ZERO",
      caughtBy: { "LK-05": /is shown to law at/ },
      sanitizers: ["uninitialised"],
    },
  ),
  wrongCore(
    pages,
    ({ reserved }) => {
      const counts = reserved.countsInRss.bind(reserved);
      reserved.countsInRss = (page, direction) => direction === "map" && counts(page, direction);
    },
    {
      ...law,
      name: "unmapping leaves rss as it is",
      source: "mm/memory.c zap_pte_range (dec_mm_counter)",
      caughtBy: {
        "FR-01": /what a mapping that is gone adds to VmRSS, in pages is 4, and must be 0/,
        "RS-01": /what is left of rss is 2, and must be 0/,
      },
    },
  ),
  wrongCore(
    pages,
    ({ memory: { frames: store } }) => {
      store.tryGet = (page) => {
        store.refcount[page] = ((store.refcount[page] ?? 0) + 1) & 0x7fff_ffff;
        return true;
      };
    },
    {
      bug: "B51",
      name: "a count of references wraps",
      source: "CVE-2019-11487, fix 15fab63e1e57",
      caughtBy: { "RC-05": /there is no reference to drop/ },
      sanitizers: ["refcount-underflow"],
    },
  ),
  wrongCore(
    pages,
    ({ reserved }) => {
      reserved.dropsReference = () => false;
    },
    {
      ...law,
      name: "unmapping drops no reference",
      source: "mm/memory.c zap_pte_range (__tlb_remove_page)",
      caughtBy: {
        "FR-01": /leak: references was \d+ and is \d+/,
        "RC-01": /the references that are left is \d+, and must be 0/,
      },
      sanitizers: ["leak"],
    },
  ),
  wrongCore(
    pages,
    (machine) => {
      machine.keepFile = () => {};
    },
    {
      ...law,
      name: "an area does not hold its file",
      source: "mm/mmap.c mmap_region (get_file)",
      caughtBy: { "LC-06": /what the driver sees of (munmap|an exit) is \[release, close, 0 entries/ },
    },
  ),
  wrongCore(
    pages,
    (machine) => {
      machine.dropFile = function* () {};
    },
    {
      ...law,
      name: "an area holds its file for ever",
      source: "mm/mmap.c remove_vma (fput)",
      caughtBy: {
        "LC-06": /what the driver sees of munmap is \[close, 0 entries\], and must be \[close, 0 entries/,
      },
    },
  ),
  wrongMachine(
    pages,
    { lockLimitPages: 1_000_000 },
    {
      bug: "B54",
      name: "nobody is kept from locking memory",
      source: "CVE-2019-3882 vfio, fix 492855939bdb",
      caughtBy: { "RC-07": /mlock of two pages answers 0, and must fail with ENOMEM/ },
    },
  ),
  wrongMachine(
    pages,
    { reservedPages: "2.4" },
    {
      ...law,
      name: "reserved pages by the rules of 2.4",
      source: "mm/memory.c free_pte, zap_pte_range of 2.4",
      caughtBy: { "LK-03": /a load from what was refused is 0, and must be SIGBUS BUS_ADRERR/ },
    },
  ),
  wrongMachine(
    pages,
    { reservedPages: "6.1" },
    {
      ...law,
      name: "reserved pages by the rules of 6.1",
      source: "mm/memory.c since 2.6.15",
      caughtBy: {
        "RS-02": /the page that is not is 0xface0001, and must be 0/,
        "RS-03": /references after round 1 is \[0, 0, 0, 0\], and must be \[1, 0, 0, 0\]/,
        "RS-04": /references while the page is held is \[2, 0, 0, 0\], and must be \[1, 0, 0, 0\]/,
      },
    },
  ),
];
