/** What the kernel complains about in its log. */
export interface Complaint {
  /** Such as `WARNING: CPU: 1 PID: 77 at mm/memory.c:1234 remap_pfn_range+0x3a/0x40`. */
  readonly what: string;
  /** The complaint with the lines that belong to it. */
  readonly lines: readonly string[];
}

/**
 * How a complaint begins, after the time stamp, as Linux 6.1 prints it: oopses of every kind (arch/x86/kernel/dumpstack.c
 * `__die_header`: the name, an error code and the oops's number), warnings and BUGs (kernel/panic.c, mm/memory.c), the slab
 * allocator's (mm/slub.c `slab_bug`), stuck CPUs and tasks, interrupts that nobody wants (kernel/irq/spurious.c), DMA to where
 * the device may not go (drivers/iommu/intel/dmar.c), and the end of memory (mm/oom_kill.c).
 */
const beginnings: readonly RegExp[] = [
  /^BUG: /,
  /^BUG .* \((?:Not tainted|Tainted: [^)]*)\): /,
  /^WARNING: /,
  /^Oops: /,
  /: [0-9a-f]{4} \[#\d+\]/,
  /^kernel BUG at /,
  /^general protection fault/,
  /^(?:traps: )?PANIC: /,
  /^Kernel panic/,
  /^INFO: task .* blocked for more than/,
  /^(?:INFO: )?rcu: .*(?:self-detected stall|detected stalls|detected expedited stalls)/,
  /^watchdog: BUG: soft lockup/,
  /^(?:NMI )?watchdog: Watchdog detected hard LOCKUP/i,
  /^INFO: possible (?:recursive locking|circular locking|irq lock)/,
  /^Bad (?:page|rss)/,
  /: bad p(?:gd|4d|ud|md|te) /,
  /^UBSAN: /,
  /^list_(?:add|del) corruption/,
  /^refcount_t: /,
  /^x86\/PAT: .*(?:freeing invalid memtype|conflicting)/,
  /^irq \d+: nobody cared/,
  /^DMAR: .*(?:fault addr|fault index|handling fault)/,
  /^unchecked MSR access error/,
  /^sysfs: cannot create duplicate filename/,
  / invoked oom-killer: /,
  /^(?:Memory cgroup out|Out) of memory: /,
];

/** How a trace ends. */
const ending = /^---\[ end (?:trace|Kernel panic)/;

/** How the lines begin by which the agent divides the log (`mark` in `agent/hub.c`). */
const MARK = "agent: mark-";

/** Lines that are taken with a complaint, at most. */
const MOST_LINES = 60;

/**
 * The complaints in a kernel's log: oopses, warnings, hung tasks, stalls, reports of the lock checker and of the memory
 * checks, each with the lines that follow up to the end of its trace.
 */
export function complaintsIn(log: string): readonly Complaint[] {
  const lines = linesOf(log);
  const complaints: Complaint[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (!beginnings.some((beginning) => beginning.test(line))) continue;
    const length = lengthOf(lines.slice(at, at + MOST_LINES));
    complaints.push({ what: line, lines: lines.slice(at, at + length) });
    at += length - 1;
  }
  return complaints;
}

/** After this the kernel is not what it was. */
export function isFatal({ what }: Complaint): boolean {
  return !what.startsWith("WARNING: ") && !what.startsWith("x86/PAT");
}

/** The lines of a kernel's log, without their time stamps. */
export function linesOf(log: string): readonly string[] {
  return log.split("\n").map((line) => withoutStamp(line.replace(/\r+$/, "")));
}

/** Lines of the complaint that the first line begins: up to the end of its trace, or of the program that caused it. */
function lengthOf(lines: readonly string[]): number {
  const mark = lines.findIndex((line) => line === "" || line.startsWith(MARK));
  const own = mark > 0 ? lines.slice(0, mark) : lines;
  const end = own.findIndex((line) => ending.test(line));
  return end >= 0 ? end + 1 : own.length;
}

/** A line without `<4>` and `[    1.234567]`. */
function withoutStamp(line: string): string {
  return line.replace(/^(?:<\d+>)?\[\s*\d+\.\d+\]\s?(?:\[\s*[TC]\d+\]\s?)?/, "");
}
