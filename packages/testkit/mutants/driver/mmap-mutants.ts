import {
  type Backing,
  EPERM,
  type MappableArea,
  type Mm,
  type Sleepable,
  sigbus,
  type UserAddress,
  VM_MAYWRITE,
  VM_PFNMAP,
  VM_WRITE,
} from "@nopage/core";
import { finished } from "#src/model/finished";
import { frames, pages } from "../mapping/right-strategies.ts";
import type { Mutant, Setup } from "../mutant.ts";
import { spoiled } from "../support/placed.ts";
import { type Driver, driven, Own, ofFrames, ofPages, ofRegisters, registers } from "./own-driver.ts";

/** Mistakes in a driver's mmap hook. */
export const mmapMutants: readonly Mutant[] = [
  {
    name: "a range is checked by a sum that wraps",
    bug: "B01",
    source: "CVE-2013-2596 fb_mmap, fix fc9bbca8f650; CVE-2018-8781 udl, fix 3b82a4db8eac",
    ...ofRegisters,
    wrong: driven(
      registers,
      class extends Own {
        override *mmap(area: MappableArea): Sleepable<number> {
          const { pageSize } = this.kernel.geometry;
          const size = BigInt(pageSize);
          const end = BigInt.asUintN(32, (BigInt(area.pgoff) + BigInt(area.pages)) * size);
          if (end > BigInt(this.backing.pages) * size) return -22;
          return yield* unchecked(this.backing, () => super.mmap(area));
        }
      },
    ),
    caughtBy: { "MM-07": /and must fail with one of EINVAL, ENXIO, EOVERFLOW, ENOMEM/ },
  },
  {
    name: "a range is not checked",
    bug: "B02",
    source: "CVE-2013-6763 uio_mmap_physical, fix 7314e613d5ff",
    ...ofRegisters,
    wrong: driven(
      registers,
      class extends Own {
        override *mmap(area: MappableArea): Sleepable<number> {
          return yield* unchecked(this.backing, () => super.mmap(area));
        }
      },
    ),
    caughtBy: { "MM-07": /and must fail with one of EINVAL, ENXIO, EOVERFLOW, ENOMEM/ },
  },
  {
    name: "only the length of a range is checked",
    bug: "B03",
    source: "vfio/pci: Add missing range check in vfio_pci_mmap; aspeed p2a: fix boundary check",
    ...ofRegisters,
    wrong: driven(
      registers,
      class extends Own {
        override *mmap(area: MappableArea): Sleepable<number> {
          if (area.pages > this.backing.pages) return -22;
          return yield* unchecked(this.backing, () => super.mmap(area));
        }
      },
    ),
    caughtBy: { "MM-07": /and must fail with one of EINVAL, ENXIO, EOVERFLOW, ENOMEM/ },
  },
  {
    name: "the hook moves the area's end",
    bug: "B15",
    source: "binder: Don't modify VMA bounds in ->mmap handler",
    ...ofPages,
    wrong: driven(
      pages,
      class extends Own {
        override *mmap(area: MappableArea): Sleepable<number> {
          const answer = yield* super.mmap(area);
          Object.assign(area, { end: area.end - this.kernel.geometry.pageSize });
          return answer;
        }
      },
    ),
    caughtBy: { "MM-09": /the mmap hook of \/dev\/subject moved the bounds of/ },
    sanitizers: ["area-rule"],
  },
  {
    name: "the hook allows stores that the file does not",
    bug: "B22",
    source: "CVE-2022-43750 usbmon, fix a659daf63d16; CVE-2020-0009 ashmem",
    ...ofPages,
    wrong: driven(
      pages,
      class extends Own {
        override *mmap(area: MappableArea): Sleepable<number> {
          area.flags |= VM_MAYWRITE;
          return yield* super.mmap(area);
        }
      },
    ),
    caughtBy: { "MM-04": /the mmap hook of \/dev\/subject added a MAY flag to/ },
    sanitizers: ["area-rule"],
  },
  {
    name: "writers are refused by mmap and let in by mprotect",
    bug: "B22",
    source: "CVE-2022-43750 usbmon, fix a659daf63d16; CVE-2021-3489 bpf ringbuf",
    ...ofPages,
    wrong: driven(pages, readOnlyDriver("VM_MAYWRITE stays")),
    right: driven(pages, readOnlyDriver("VM_MAYWRITE is cleared")),
    caughtBy: {
      "PE-01": /what was refused to a writer may become writable: its flags are rd sh mr mw me ms/,
    },
  },
  {
    name: "the cache mode is left at its default",
    bug: "B64",
    source: "USB: usbfs: fix mmap dma mismatch; vfio-pci: Use io_remap_pfn_range() for PCI IO memory",
    ...ofFrames,
    wrong: driven(
      frames,
      class extends Own {
        override *mmap(area: MappableArea): Sleepable<number> {
          const answer = yield* super.mmap(area);
          area.cache = "cached";
          return answer;
        }
      },
    ),
    caughtBy: { "PE-04": /the cache mode of the area after mmap is cached, and must be uncached/ },
  },
  {
    name: "the area is not to be found by the object that it shows",
    bug: "B58",
    source: "a stock driver that redirects its mapping",
    ...ofFrames,
    wrong: driven(
      frames,
      class extends Own {
        override *mmap(area: MappableArea): Sleepable<number> {
          const answer = yield* super.mmap(area);
          this.backing.mapping.unlink(area as never);
          area.mapping = undefined;
          return answer;
        }
      },
    ),
    caughtBy: { "RV-06": /toucher reads register 0x3000/ },
  },
  {
    name: "an area is closed whose mmap has failed",
    bug: "B16",
    source: "CVE-2024-53096; mm: avoid unsafe VMA hook invocation",
    ...ofPages,
    wrong: spoiled(pages, ({ devices }) => {
      const register = devices.register.bind(devices);
      devices.register = (path, operations) => {
        const { mmap } = operations;
        if (mmap === undefined) return register(path, operations);
        return register(path, {
          ...operations,
          *mmap(file, area) {
            const answer = yield* finished(mmap.call(operations, file, area));
            if (answer < 0) yield* finished(area.ops?.close?.(area));
            return answer;
          },
        });
      };
    }),
    caughtBy: { "MM-08": /opens and closes of an area whose hook failed is \[0, 1\], and must be \[0, 0\]/ },
  },
  {
    name: "an area is to be found only once its hook has mapped",
    bug: "B12",
    source: "CVE-2026-64582 rxe_mmap",
    ...ofRegisters,
    schedule: "racy",
    wrong: driven(
      registers,
      class extends Own {
        override *mmap(area: MappableArea): Sleepable<number> {
          const { mapping } = this.backing;
          const { link } = mapping;
          mapping.link = () => {};
          const answer = yield* super.mmap(area);
          mapping.link = link;
          return answer;
        }
      },
    ),
    caughtBy: {
      "MM-08": /a load through a mapping that was made meanwhile is 0xface0000, and must be SIGBUS/,
    },
  },
  {
    name: "an area is kept past its end",
    bug: "B14",
    source: "CVE-2023-20928 binder, fix a43cfc87caaf",
    ...ofPages,
    wrong: driven(
      pages,
      class extends Own {
        readonly #kept: { readonly mm: Mm; readonly start: UserAddress; readonly end: UserAddress }[] = [];
        override *mmap(area: MappableArea): Sleepable<number> {
          const { mm, start, end } = area;
          this.#kept.push({ mm, start, end });
          return yield* super.mmap(area);
        }
        override *quiesce(): Sleepable<void> {
          yield* super.quiesce();
          for (const { mm, start, end } of this.#kept) {
            const area = mm.areas.find(start);
            if (area === undefined) continue;
            const { flags } = area;
            area.flags |= VM_PFNMAP;
            yield* this.kernel.mappings.zapVma(area, start, end);
            area.flags = flags;
          }
        }
      },
    ),
    caughtBy: { "AT-06": /page 0 of the other memory is 0, and must be 1/ },
  },
  {
    name: "a lock is held over a copy to the user that a fault takes",
    bug: "B62",
    source: "hwrng CVE-2023-52615, fix 78aafb3884f6; CVE-2025-21853 bpf",
    ...ofPages,
    wrong: readable("under the lock"),
    right: readable("after it"),
    caughtBy: { "AT-03": /deadlock: copying waits for the driver's lock, held by copying/ },
    sanitizers: ["deadlock"],
  },
  {
    name: "an area that mmap has made is opened",
    bug: "mail 1",
    source: "simple_mmap counts its module in mmap, since open is not called there",
    ...ofPages,
    wrong: driven(
      pages,
      class extends Own {
        override *mmap(area: MappableArea): Sleepable<number> {
          const answer = yield* super.mmap(area);
          yield* finished(area.ops?.open?.(area));
          return answer;
        }
      },
    ),
    caughtBy: {
      "LC-01": /the number of opens after mmap is 1, and must be 0/,
      "LC-02": /the number of live areas after mmap, counted by mmap, open and close is 2, and must be 1/,
      "LC-19": /the number of live areas after the end of its process, counted by mmap, open and close is/,
    },
  },
];

/** Runs a hook with an object that seems to have no end. */
function* unchecked(backing: Backing, mmap: () => Sleepable<number>): Sleepable<number> {
  const { pages: real } = backing;
  Object.assign(backing, { pages: Number.MAX_SAFE_INTEGER });
  const answer = yield* mmap();
  Object.assign(backing, { pages: real });
  return answer;
}

function readOnlyDriver(later: "VM_MAYWRITE stays" | "VM_MAYWRITE is cleared"): Driver {
  return class extends Own {
    override *mmap(area: MappableArea): Sleepable<number> {
      if ((area.flags & VM_WRITE) !== 0) return -EPERM;
      if (later === "VM_MAYWRITE is cleared") area.flags &= ~VM_MAYWRITE;
      return yield* super.mmap(area);
    }
  };
}

/** A driver that can be read, with a lock that its read and its fault handler take. */
function readable(copies: "under the lock" | "after it"): Setup {
  return spoiled(pages, ({ devices }, { sync, user }) => {
    const register = devices.register.bind(devices);
    devices.register = (path, operations) => {
      const { mmap } = operations;
      if (mmap === undefined) return register(path, operations);
      const lock = sync.mutex("the driver's lock");
      return register(path, {
        ...operations,
        *read(_file, buffer) {
          yield* lock.lock();
          if (copies === "under the lock") yield* user.copyTo(buffer, Uint8Array.of(1));
          lock.unlock();
          if (copies === "after it") yield* user.copyTo(buffer, Uint8Array.of(1));
          return 1;
        },
        *mmap(file, area) {
          const answer = yield* finished(mmap.call(operations, file, area));
          const { ops } = area;
          if (ops === undefined) return answer;
          area.ops = { ...ops, nopage: (fault) => lock.with(() => finished(ops.nopage?.(fault) ?? sigbus)) };
          return answer;
        },
      });
    };
  });
}
