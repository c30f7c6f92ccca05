import type { MappableArea, Sleepable } from "@nopage/core";
import { frames, pages, remapped } from "../mapping/right-strategies.ts";
import type { Mutant } from "../mutant.ts";
import { spoiled } from "../support/placed.ts";
import { driven, Own, ofFrames, ofPages, ofRemapped } from "./own-driver.ts";

/** Mistakes in taking the object away and giving it back. */
export const quiesceMutants: readonly Mutant[] = [
  {
    name: "the gate is closed after the zap",
    bug: "B61",
    source: "mail 0: keep the page from being faulted in after the unmapping starts",
    ...ofPages,
    schedule: "racy",
    wrong: driven(
      pages,
      class extends Own {
        override *quiesce(): Sleepable<void> {
          yield* this.zap();
          yield* this.backing.gate.close();
        }
      },
    ),
    caughtBy: {
      "QU-02": /a load from page 0 ends in 0xdeaddead, and must end in 0xface0000/,
      "RV-03": /a load from page 0 ends in 0xdeaddead, and must end in 0xface0000 or SIGSEGV SEGV_MAPERR/,
      "RV-05": /the number of entries at moment 0 is 1, and must be 0/,
    },
  },
  {
    name: "the transfer starts with the mapping in place",
    bug: "B60",
    source: "CVE-2020-12888 vfio, fix abafbc551fdd",
    ...ofFrames,
    wrong: driven(
      frames,
      class extends Own {
        override *quiesce(): Sleepable<void> {
          yield* this.backing.gate.close();
        }
      },
    ),
    caughtBy: { "QU-01": /toucher reads register 0x3000/ },
  },
  {
    name: "the object is zapped and no gate is closed",
    bug: "B67",
    source: "CVE-2014-4171 shmem, fix f00cdc6df7d7",
    ...ofPages,
    wrong: driven(
      pages,
      class extends Own {
        override *quiesce(): Sleepable<void> {
          yield* this.zap();
        }
        override *resume(): Sleepable<void> {}
      },
    ),
    caughtBy: {
      "QU-01": /a load through it while the object is taken away is 0xdeaddead, and must be not over/,
      "QU-02": /a load from page 0 reads 0xdeaddead while the object is taken away/,
      "QU-10": /the bytes that came through \/proc\/self\/mem while the object is taken away is 4, and must/,
    },
  },
  {
    name: "read(2) lets itself in while the object is taken away",
    bug: "B60",
    source: "CVE-2020-12888 vfio: the fix abafbc551fdd gates vfio_pci_bar_rw as well",
    ...ofFrames,
    wrong: spoiled(frames, (machine) => {
      const createGate = machine.createGate.bind(machine);
      const { devices } = machine;
      const register = devices.register.bind(devices);
      let gate: ReturnType<typeof createGate> | undefined;
      machine.createGate = (name) => {
        gate = createGate(name);
        return gate;
      };
      devices.register = (path, file) => {
        const read = file.read?.bind(file);
        if (read === undefined) return register(path, file);
        return register(
          path,
          Object.assign(file, {
            *read(...request: Parameters<typeof read>): Sleepable<number> {
              const isClosed = gate?.state === "closed";
              if (isClosed) yield* gate?.open() ?? [];
              const answer = yield* read(...request);
              if (isClosed) yield* gate?.close() ?? [];
              return answer;
            },
          }),
        );
      };
    }),
    caughtBy: {
      "QU-10": /the bytes read while the object is taken away is 4, and must be 0/,
    },
  },
  {
    name: "the zap looks in another address space",
    bug: "B58",
    source: "a stock driver that redirects its mapping",
    ...ofFrames,
    wrong: driven(
      frames,
      class extends Own {
        override *quiesce(): Sleepable<void> {
          yield* this.backing.gate.close();
          const elsewhere = this.machine.createAddressSpace("the file's own");
          yield* this.kernel.mappings.unmapMappingRange(elsewhere, 0, 0, "shared-only");
        }
      },
    ),
    caughtBy: { "RV-06": /toucher reads register 0x3000/ },
  },
  {
    name: "one page is taken away instead of the range",
    bug: "mail 0",
    source: "unmap_page of mail 0 walks for one page",
    ...ofFrames,
    wrong: driven(
      frames,
      class extends Own {
        override *quiesce(): Sleepable<void> {
          yield* this.backing.gate.close();
          yield* this.zap(0, 1);
        }
      },
    ),
    caughtBy: { "QU-01": /toucher reads register 0x3000/ },
  },
  {
    name: "the zap takes an offset in the file for an address",
    bug: "mail 0",
    source: "unmap_page of mail 0 forgets to add vm_start",
    ...ofFrames,
    wrong: driven(
      frames,
      class extends Own {
        override *quiesce(): Sleepable<void> {
          yield* this.backing.gate.close();
          const { kernel, backing } = this;
          const { pageSize } = kernel.geometry;
          yield* kernel.mappings.forEachArea(backing.mapping, function* (area) {
            const start = (area.pgoff * pageSize) as typeof area.start;
            const end = ((area.pgoff + area.pages) * pageSize) as typeof area.start;
            yield* kernel.mappings.zapVma(area, start, end);
          });
        }
      },
    ),
    caughtBy: {
      "QU-01": /a load through it while the object is taken away is 0xface0000, and must be not over/,
      "RV-08": /a load from page 3 reads 0xface0003 while the object is taken away/,
    },
  },
  {
    name: "a page that the zap has put is put once more",
    bug: "mail 0",
    source: "unmap_page of mail 0 counts down after free_pte has",
    ...ofPages,
    wrong: driven(
      pages,
      class extends Own {
        override *quiesce(): Sleepable<void> {
          yield* super.quiesce();
          const { memory } = this.backing;
          const [page] = memory.kind === "page-array" ? memory.list : [];
          if (page !== undefined) yield* this.kernel.pages.put(page);
        }
      },
    ),
    caughtBy: {
      "QU-01": /afterwards: page 0 is SIGBUS BUS_ADRERR, and must be 0xface0000/,
      "RC-01": /use-after-free by law\/0: kernel load at 0x[0-9a-f]+ in page \d+ \(free\)/,
    },
    sanitizers: ["use-after-free"],
  },
  {
    name: "private copies are taken away with the object",
    bug: "law",
    source: "mm/memory.c unmap_mapping_range even_cows",
    ...ofPages,
    wrong: driven(
      pages,
      class extends Own {
        override *quiesce(): Sleepable<void> {
          yield* this.backing.gate.close();
          yield* this.kernel.mappings.unmapMappingRange(this.backing.mapping, 0, 0, "even-cows");
        }
      },
    ),
    caughtBy: { "TR-02": /a private copy before the end is 0xface0000, and must be 40/ },
  },
  {
    name: "a flag in place of a count of takings",
    bug: "law",
    source: "mail of 1998: a busy flag",
    ...ofPages,
    wrong: driven(
      pages,
      class extends Own {
        override *quiesce(): Sleepable<void> {
          if (this.backing.gate.state === "open") yield* super.quiesce();
        }
        override *resume(): Sleepable<void> {
          if (this.backing.gate.state === "closed") yield* super.resume();
        }
      },
    ),
    caughtBy: {
      "QU-07": /a load through it while the object is taken away is 0xdeaddead, and must be not over/,
    },
  },
  {
    name: "the object is given back and nobody is woken",
    bug: "law",
    source: "a driver that clears its busy flag without wake_up",
    ...ofPages,
    wrong: spoiled(pages, (machine) => {
      const create = machine.createGate.bind(machine);
      machine.createGate = (name) => {
        const gate = create(name);
        gate.waitUntilOpen = function* () {
          return yield* machine.retryTimer.waitUntil(() => false, "killable");
        };
        return gate;
      };
    }),
    caughtBy: {
      "FR-07": /deadlock: law\/0 sleeps on the end of waiter; waiter sleeps on another try at a fault/,
      "QU-04": /deadlock: law\/0 sleeps on the end of toucher; toucher sleeps on another try at a fault/,
    },
    sanitizers: ["deadlock"],
  },
  {
    name: "the object is taken away for good",
    bug: "law",
    source: "a driver that forgets to undo its quiesce",
    ...ofPages,
    wrong: driven(
      pages,
      class extends Own {
        override *resume(): Sleepable<void> {}
      },
    ),
    caughtBy: {
      "QU-07": /deadlock: law\/0 sleeps on the end of toucher; toucher sleeps on gate \/dev\/subject/,
    },
    sanitizers: ["deadlock"],
  },
  {
    name: "the object is given back twice",
    bug: "law",
    source: "unbalanced quiesce and resume",
    ...ofPages,
    wrong: driven(
      pages,
      class extends Own {
        override *resume(): Sleepable<void> {
          yield* super.resume();
          if (this.backing.gate.state === "closed") yield* super.resume();
        }
      },
    ),
    caughtBy: {
      "QU-07": /a load through it while the object is taken away is 0xdeaddead, and must be not over/,
    },
  },
  {
    name: "what was mapped at once is not brought back",
    bug: "law",
    source: "a driver that remaps in mmap and revokes later",
    ...ofRemapped,
    wrong: driven(
      remapped,
      class extends Own {
        override *resume(): Sleepable<void> {
          yield* this.backing.gate.open();
        }
      },
    ),
    caughtBy: { "PF-06": /page 0 of the same after a revocation is SIGBUS BUS_ADRERR, and must be 100/ },
  },
  {
    name: "the zap is done under the lock that a fault's hook takes",
    bug: "B62",
    source: "hwrng CVE-2023-52615, fix 78aafb3884f6; usb: mon: Fix a deadlock between mmap and read",
    ...ofPages,
    schedule: "racy",
    wrong: driven(
      pages,
      class extends Own {
        readonly #lock = this.kernel.sync.mutex("the driver's lock");
        override *mmap(area: MappableArea): Sleepable<number> {
          const answer = yield* this.#lock.with(() => super.mmap(area));
          return answer;
        }
        override *quiesce(): Sleepable<void> {
          const { kernel, backing } = this;
          yield* this.#lock.with(function* () {
            yield* backing.gate.close();
            yield* kernel.mappings.forEachArea(backing.mapping, function* () {});
          });
          yield* this.zap();
        }
      },
    ),
    caughtBy: {
      "AT-05": /law\/0 takes mmap_lock while it holds the driver's lock; elsewhere the driver's lock is/,
    },
    sanitizers: ["lock-order"],
  },
];
