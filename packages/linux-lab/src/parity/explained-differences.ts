/** Why the model and Linux differ, where neither is to be changed. */
export interface ExplainedDifference {
  /** Such as `MM-07`. */
  readonly law: string;
  /** Which of the law's programs; all where left out. */
  readonly when?: string;
  /** Subjects, or their strategies; all where left out. */
  readonly subjects?: readonly string[];
  /** What was seen on Linux, in part; whatever it was where left out. */
  readonly seen?: string;
  readonly reason: string;
}

/** Every difference that was settled without a change. */
export const explainedDifferences: readonly ExplainedDifference[] = [
  {
    law: "LC-22",
    when: "in an address space that is full",
    reason:
      "how much room there is besides what a program maps is not the law's: user space is smaller on the model, so that other lengths still fit",
  },
  {
    law: "RC-02",
    when: "a whole life",
    subjects: ["eager-remap"],
    reason:
      "6.1 does not fork a process whose private mapping of bare frames has had its first page copied: arch/x86/mm/pat/memtype.c track_pfn_copy looks for the frame of the first page, finds a private one and says EINVAL (mended in 6.14)",
  },
  {
    law: "RC-03",
    when: "an owner that frees while others map and touch",
    reason:
      "the drivers are not alike: the one in C refuses to map an object whose memory has been given back, the model's maps it and every touch is SIGBUS",
  },
  {
    law: "MM-08",
    when: "while the device is removed",
    seen: "subject.map=-ENXIO",
    reason:
      "a node outlives its device for a moment: fs/char_dev.c chrdev_open finds no device behind it and says ENXIO. On the model both go in one step",
  },
  {
    law: "QU-10",
    when: "read(2)",
    reason: "the device of the model cannot be read by read(2), the driver in C can: both keep the law",
  },
  {
    law: "QU-10",
    when: "/proc/self/mem",
    reason:
      "mm/memory.c __access_remote_vm of 6.1 looks pages up without letting go of the mmap lock, so that a fault handler may not wait and the driver refuses; the model lets it wait, and reads afterwards. The law allows both",
  },
  {
    law: "AT-03",
    when: "read and write with a buffer in its own mapping",
    reason: "the device of the model cannot be read by read(2), the driver in C can: both keep the law",
  },
];

/** Why a difference is no news; undefined where nothing is known of it. */
export function explanationOf(
  found: { readonly law: string; readonly when: string; readonly subject: string; readonly linux: string },
  known: readonly ExplainedDifference[] = explainedDifferences,
): string | undefined {
  const { law, when, subject, linux } = found;
  const [plugin = subject] = subject.split(".");
  return known.find(
    (explained) =>
      explained.law === law &&
      (explained.when ?? when) === when &&
      (explained.subjects?.some((name) => name === subject || name === plugin) ?? true) &&
      linux.includes(explained.seen ?? ""),
  )?.reason;
}
