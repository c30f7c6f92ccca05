import { describe, expect, test } from "vitest";
import { complaintsIn } from "../../src/guest/kernel-log.ts";

const stamped = (lines: readonly string[]): string =>
  lines.map((line, index) => `[    ${index}.000000] ${line}\r`).join("\n");

describe("complaints of the kernel", () => {
  test("a warning MUST be taken with its trace, and nothing that follows it", () => {
    const warning = [
      "WARNING: CPU: 1 PID: 77 at mm/memory.c:2404 remap_pfn_range+0x3a/0x40",
      "Call Trace:",
      " <TASK>",
      " mine_mmap+0x20/0x30 [mine]",
      "---[ end trace 0000000000000000 ]---",
    ];
    const log = stamped(["mine: loaded", ...warning, "mine: unloaded"]);
    expect(complaintsIn(log)).toEqual([{ what: warning[0], lines: warning }]);
  });

  test("a complaint without a trace MUST end where the next program begins", () => {
    const log = stamped(["WARNING: planted", "and more", "agent: mark-7", "mine: loaded"]);
    expect(complaintsIn(log)).toEqual([
      { what: "WARNING: planted", lines: ["WARNING: planted", "and more"] },
    ]);
  });

  test.each([
    "BUG: unable to handle page fault for address: ffffffffc0de0000",
    "kernel BUG at mm/memory.c:2370!",
    "Oops: 0002 [#1] PREEMPT SMP NOPTI",
    "general protection fault, probably for non-canonical address 0x6b6b: 0000 [#1]",
    "INFO: task law:77 blocked for more than 20 seconds.",
    "BUG: sleeping function called from invalid context at mm/memory.c:5300",
    "INFO: possible circular locking dependency detected",
    "watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [law:77]",
    "rcu: INFO: rcu_preempt self-detected stall on CPU",
    "BUG: Bad page state in process law  pfn:12345",
    "BUG: Bad rss-counter state mm:00000000c0de type:MM_FILEPAGES val:1",
    "refcount_t: underflow; use-after-free.",
    "divide error: 0000 [#1] PREEMPT SMP NOPTI",
    "invalid opcode: 0000 [#2] PREEMPT SMP",
    "stack segment: 0000 [#1] PREEMPT SMP",
    "int3: 0000 [#1] PREEMPT SMP",
    "alignment check: 0000 [#1] PREEMPT SMP",
    "traps: PANIC: double fault, error_code: 0x0",
    "double fault: 0000 [#1] PREEMPT SMP",
    "BUG kmalloc-64 (Tainted: G        W  OE     ): Poison overwritten",
    "BUG my cache (Not tainted): Redzone overwritten",
    'irq 11: nobody cared (try booting with the "irqpoll" option)',
    "DMAR: [DMA Write NO_PASID] Request device [00:03.0] fault addr 0x1000 [fault reason 0x05] PTE Write access is not set",
    "DMAR: DRHD: handling fault status reg 2",
    "unchecked MSR access error: RDMSR from 0x1b at rIP: 0xffffffff81067e14 (native_read_msr+0x4/0x20)",
    "sysfs: cannot create duplicate filename '/class/misc/mine'",
    "init invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
    "Out of memory: Killed process 77 (init) total-vm:1kB",
    "mm/pgtable-generic.c:50: bad pmd 00000000c0de0000(8000000000000025)",
    "NMI watchdog: Watchdog detected hard LOCKUP on cpu 1",
  ])("%s MUST be seen", (line) => {
    expect(complaintsIn(stamped(["before", line])).map(({ what }) => what)).toEqual([line]);
  });

  test.each([
    "Linux version 6.1.0-56-cloud-amd64 (debian-kernel@lists.debian.org)",
    "mine: loading out-of-tree module taints kernel.",
    "mine: module verification failed: signature and/or required key missing - tainting kernel",
    "x86/PAT: Configuration [0-7]: WB  WC  UC- UC  WB  WP  UC- WT",
    "NMI watchdog: Perf NMI watchdog permanently disabled",
    "DEBUG: nothing is wrong",
    "DMAR: Host address width 39",
    "traps: law[77] trap divide error ip:401000 sp:7ffc0 error:0 in init[401000+1000]",
    "init[77]: segfault at 8 ip 0000000000401000 sp 00007ffc0 error 4 in init[401000+1000]",
    "irq 24: Affinity broken due to vector space exhaustion.",
    "sysrq: Show Blocked State",
    "rcu: Hierarchical SRCU implementation.",
  ])("%s MUST NOT be taken for one", (line) => {
    expect(complaintsIn(stamped([line]))).toEqual([]);
  });
});
