import type { BackingMemory, Sleepable } from "@nopage/core";
import { frames, pages, remapped } from "../mapping/right-strategies.ts";
import type { Mutant } from "../mutant.ts";
import { spoiled } from "../support/placed.ts";
import { driven, Own, ofFrames, ofPages, ofRemapped } from "./own-driver.ts";

/** Mistakes in ending and resizing. */
export const endingMutants: readonly Mutant[] = [
  {
    name: "a device goes and its mappings stay",
    bug: "B56",
    source: "uio 57c5f4df0a5a, a93e7b331568; CVE-2026-93054",
    ...ofFrames,
    wrong: driven(
      frames,
      class extends Own {
        override *remove(): Sleepable<void> {
          yield* this.backing.gate.remove();
        }
      },
    ),
    caughtBy: {
      "FR-02": /a load from page 0 is 0xface0000, and must be SIGBUS BUS_ADRERR/,
      "MO-04": /a load from page 0 is 0xface0000, and must be SIGBUS BUS_ADRERR/,
      "RC-03": /a load from freed page 0 is 0xffffffff, and must be SIGBUS BUS_ADRERR/,
    },
  },
  {
    name: "a device goes and who waits goes on waiting",
    bug: "B56",
    source: "uio 57c5f4df0a5a, a93e7b331568; CVE-2026-93054",
    ...ofPages,
    wrong: driven(
      pages,
      class extends Own {
        override *remove(): Sleepable<void> {
          yield* super.quiesce();
        }
      },
    ),
    caughtBy: {
      "MO-04": /deadlock: law\/0 sleeps on gate \/dev\/subject; thread sleeps on gate \/dev\/subject/,
    },
    sanitizers: ["deadlock"],
  },
  {
    name: "a buffer is exchanged while it is mapped",
    bug: "B10",
    source: "fbdev: udlfb: add vm_ops to dlfb_ops_mmap",
    ...ofRemapped,
    wrong: driven(
      remapped,
      class extends Own {
        override *replace(
          memory: BackingMemory,
          count: number,
          exchange: () => Sleepable<void>,
        ): Sleepable<void> {
          yield* exchange();
          this.exchange(memory, count);
        }
      },
    ),
    caughtBy: {
      "RE-07": /page 1 in the child, taken away meanwhile, is 0xface0001, and must be SIGBUS BUS_ADRERR/,
    },
  },
  {
    name: "memory that is mapped by frame number is freed while mapped",
    bug: "B21",
    source:
      "CVE-2024-0582 io_uring buffer ring, fix c392cbecd8ec; io_uring: get rid of remap_pfn_range (B69)",
    ...ofRemapped,
    wrong: driven(
      remapped,
      class extends Own {
        override *remove(): Sleepable<void> {
          yield* this.backing.gate.remove();
        }
      },
    ),
    caughtBy: {
      "RC-03": /a load from freed page 0 is 0xffffffff, and must be SIGBUS BUS_ADRERR/,
      "RV-01": /a load after the removal ends in 0xface0000, and must end in SIGBUS BUS_ADRERR/,
    },
  },
  {
    name: "pages are freed although the mapping counts none of them",
    bug: "B55",
    source: "Mali CVE-2022-33917, CVE-2022-36449",
    ...ofFrames,
    wrong: driven(
      frames,
      class extends Own {
        override *remove(): Sleepable<void> {}
      },
    ),
    caughtBy: {
      "RC-03": /a load from freed page 0 is 0xffffffff, and must be SIGBUS BUS_ADRERR/,
      "RV-01": /a load after the removal ends in 0xface0000, and must end in SIGBUS BUS_ADRERR/,
    },
  },
  {
    name: "the tail is cut off and stays mapped",
    bug: "B67",
    source: "CVE-2014-4171 shmem, fix f00cdc6df7d7",
    ...ofPages,
    wrong: driven(
      pages,
      class extends Own {
        override *replace(
          memory: BackingMemory,
          count: number,
          exchange: () => Sleepable<void>,
        ): Sleepable<void> {
          yield* this.backing.gate.close();
          yield* exchange();
          this.exchange(memory, count);
          yield* this.backing.gate.open();
        }
      },
    ),
    caughtBy: { "TR-04": /after it has shrunk: page 1 is 0xface0001, and must be SIGBUS BUS_ADRERR/ },
  },
  {
    name: "the tail is cut off and private copies of it stay",
    bug: "law",
    source: "mm/truncate.c truncate_pagecache (even_cows)",
    ...ofPages,
    wrong: driven(
      pages,
      class extends Own {
        override *replace(
          memory: BackingMemory,
          count: number,
          exchange: () => Sleepable<void>,
        ): Sleepable<void> {
          yield* this.quiesce();
          yield* exchange();
          this.exchange(memory, count);
          yield* this.resume();
        }
      },
    ),
    caughtBy: { "TR-02": /a private copy past the end is 41, and must be SIGBUS BUS_ADRERR/ },
  },
  {
    name: "a device without a module named in its operations",
    bug: "B57",
    source: "UIO 610ad5064cb9",
    ...ofPages,
    wrong: spoiled(pages, (machine) => {
      const register = machine.devices.register.bind(machine.devices);
      machine.devices.register = (path, operations) =>
        register(path, Object.defineProperty(operations, "owner", { value: undefined }));
    }),
    caughtBy: {
      "LC-18": /delete_module while two processes map it answers 0, and must fail with EAGAIN/,
      "MO-01": /unloading the driver of a live mapping answers 0, and must fail with EAGAIN/,
      "MO-02": /a device whose driver is unloaded can be opened/,
      "MO-03": /unloading the driver of an open file answers 0, and must fail with EAGAIN/,
    },
  },
];
