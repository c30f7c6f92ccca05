import type { Said } from "../subject/said.ts";

/** Why the model and Linux differ, where neither is to be changed. */
export interface ExplainedDifference {
  /** Such as `MM-07`. */
  readonly law: string;
  /** Which of the law's programs. */
  readonly when: string;
  /** Subjects, or their strategies; all where left out. */
  readonly subjects?: readonly string[];
  /**
   * The differences, in the words of both sides: the step and what it answered. All of them have to be seen; of a race, which
   * goes one way at a time, any one.
   */
  readonly seen: readonly { readonly model: Said; readonly linux: Said }[];
  /** What the program then tells on Linux as broken; nothing where left out. */
  readonly broken?: readonly Said[];
  readonly reason: string;
}

/** Every difference that was settled without a change. */
export const explainedDifferences: readonly ExplainedDifference[] = [
  {
    law: "LC-22",
    when: "in an address space that is full",
    seen: [
      {
        model: /^main: \d+(st|nd|rd|th) mmap = (an address|-ENOMEM)$/,
        linux: /^main: \d+(st|nd|rd|th) mmap = (an address|-ENOMEM)$/,
      },
      // It takes Linux more halves to fill its larger space.
      {
        model: "main: 1st memoryStatus = the first count",
        linux: /^main: \d+(st|nd|rd|th) mmap = (an address|-ENOMEM)$/,
      },
    ],
    reason:
      "how much room there is besides what a program maps is not the law's: user space is smaller on the model, so that other lengths still fit",
  },
  {
    law: "RC-02",
    when: "a whole life",
    subjects: ["eager-remap"],
    seen: [
      { model: 'main: 1st join = {"status":0}', linux: "main: 2nd fork = -ENOMEM" },
      { model: "child: 1st subject.reach = 0xface0000", linux: "nothing more" },
    ],
    reason:
      "6.1 does not fork a process whose private mapping of bare frames has had its first page copied: arch/x86/mm/pat/memtype.c track_pfn_copy reads the frame and the cache mode of the whole area (VM_PAT) from its first entry, which leads to a private page now, and says EINVAL (get_pat_info, since 6.1.85), of which kernel/fork.c copy_mm makes ENOMEM. The kernels of 2025 that no longer have VM_PAT have no such account",
  },
  {
    law: "RC-03",
    when: "an owner that frees while others map and touch",
    subjects: ["lazy-nopage.pages", "lazy-nopage.holes", "page-lookup.pages", "page-lookup.holes"],
    seen: [
      {
        model: "one of 3 other outcomes",
        linux:
          'main: thread=done, subject.free=done, mmap=an address, store=done, store=done, store=done, store=done, join={"status":0}\nmapper: subject.map=-EINVAL',
      },
    ],
    reason:
      "the drivers are not alike: the one in C refuses to map an object whose memory has been given back, which has no pages then (packages/device-highway/linux/mapping.c is_inside), the model's maps it and every touch is SIGBUS",
  },
  {
    law: "RC-03",
    when: "an owner that frees while others map and touch",
    subjects: ["page-lookup.linear"],
    seen: [
      {
        model: /^one of \d+ other outcomes$/,
        linux:
          'main: thread=done, subject.free=done, mmap=an address, store=done, store=done, store=done, store=done, join={"status":0}\nmapper: subject.map=an address, load=0xface0000, load=SIGBUS BUS_ADRERR',
      },
    ],
    reason:
      "the drivers are not alike: the one in C has no pages any more once its memory has been given back, and every new touch is SIGBUS; the model's looks up a page of the block, which lives on as a whole as long as one of its pages is mapped",
  },
  {
    law: "MM-08",
    when: "while the device is removed",
    seen: [
      {
        model: /^one of \d+ other outcomes$/,
        linux: 'main: thread=done, subject.map=-ENXIO, join={"status":0}\nremover: subject.remove=done',
      },
    ],
    reason:
      "who has found the node before it goes may come to the driver's open when its object has gone already, and is told ENXIO (packages/device-highway/linux/file.c, after node.c remove_name): the device number stays the driver's, so that fs/char_dev.c chrdev_open still leads there. On the model node and object go in one step",
  },
  {
    law: "QU-10",
    when: "/proc/self/mem",
    // Bare frames are out of reach of both.
    subjects: ["lazy-nopage.pages", "lazy-nopage.holes", "page-lookup"],
    seen: [{ model: "thread: 1st readProcMem = 0000cefa", linux: "thread: 1st readProcMem = " }],
    reason:
      "mm/memory.c __access_remote_vm of 6.1 calls get_user_pages_remote without `locked`, so that mm/gup.c faultin_page does not set FAULT_FLAG_ALLOW_RETRY: a fault handler may not let go of the mmap lock, and the driver refuses to wait with it; the model lets it wait, and reads afterwards. The law allows both",
  },
];
