import { mustSucceed, user } from "@nopage/testkit/executor";
import { lab } from "../execute/lab-calls.ts";
import { defineSubject } from "../subject/lab-subject.ts";
import { markPages, peekThrough, pokeThrough } from "./marking.ts";
import { SMALL_CARD, SMALL_CARD_PAGES, smallCard } from "./small-card.ts";

const PATH = `${SMALL_CARD}/resource2`;

const NOT_TAKEN_AWAY =
  "the removal looks for mappings by the inode of sysfs (fs/kernfs/file.c kernfs_drain_open_files), but those of a BAR are found by that of /dev/mem (fs/sysfs/file.c sysfs_kf_bin_open, since 5.12)";

/**
 * The memory behind a BAR, as sysfs shows it without any driver: `pci_mmap_resource` of drivers/pci/pci-sysfs.c maps all of it at
 * once by `io_remap_pfn_range`.
 */
export const bar = defineSubject({
  name: "bar",
  pages: SMALL_CARD_PAGES,
  supports: {
    populate: "eager",
    whileRevoked: "nothing",
    mremapGrow: false,
    countsPages: false,
    privateWritable: true,
  },
  devices: smallCard,
  // Otherwise 6.1 complains of its own account of cache modes whenever a part of the mapping is unmapped.
  kernelWords: ["nopat"],
  explained: [
    {
      law: "MM-08",
      when: "while the device is removed",
      seen: ["a load through a mapping that was made meanwhile is 0xface0000, and must be SIGBUS BUS_ADRERR"],
      reason: NOT_TAKEN_AWAY,
    },
    {
      law: "FR-02",
      when: "a device that was pulled out",
      seen: ["a load from page 0 is 0xface0000, and must be SIGBUS BUS_ADRERR"],
      reason: NOT_TAKEN_AWAY,
    },
    {
      law: "RV-01",
      when: "the device is pulled out",
      seen: ["a load after the removal ends in 0xface0000, and must end in SIGBUS BUS_ADRERR"],
      reason: NOT_TAKEN_AWAY,
    },
    {
      law: "MO-04",
      seen: [
        "a load from page 0 is 0xface0000, and must be SIGBUS BUS_ADRERR",
        "a load once the device is gone is 0xface0000, and must be SIGBUS BUS_ADRERR",
      ],
      reason: NOT_TAKEN_AWAY,
    },
  ],
  *setUp() {
    if (typeof (yield* lab.readFile(`${SMALL_CARD}/vendor`)) === "number") {
      mustSucceed("PCI rescan", yield* lab.writeFile("/sys/bus/pci/rescan", "1"));
    }
    // Without a driver nobody has switched the function's memory on.
    mustSucceed("enable", yield* lab.writeFile(`${SMALL_CARD}/enable`, "1"));
    const open = () => user.open({ path: PATH, mode: "read-write", blocking: "blocking" });
    const view = { open, pages: SMALL_CARD_PAGES };
    yield* markPages(view);
    return {
      path: PATH,
      openElsewhere: () => user.open({ path: `${PATH}_wc`, mode: "read-write", blocking: "blocking" }),
      peek: (page) => peekThrough(view, page),
      poke: (page, value) => pokeThrough(view, page, value),
      *remove() {
        mustSucceed("PCI removal", yield* lab.writeFile(`${SMALL_CARD}/remove`, "1"));
      },
    };
  },
});
