import { type OpenMode, VM_READ, VM_WRITE } from "@nopage/core";
import {
  markOf,
  type Pinner,
  type Steps,
  type Subject,
  type SubjectMapping,
  type SubjectSupports,
  type Trial,
  user,
} from "@nopage/testkit/executor";
import type { ArchiveEntry } from "../guest/cpio.ts";
import type { KernelFlavour, StockKernel } from "../guest/stock-kernel.ts";
import type { Said } from "./said.ts";

/** Bytes of a page of x86-64. */
export const PAGE_BYTES = 4096;

/**
 * What a subject can do once it is set up. All but `path` may be left out: laws that need what is left out do not apply, and
 * say so.
 */
export interface SubjectAbilities
  extends Partial<
    Pick<
      Subject,
      | "accessor"
      | "open"
      | "openElsewhere"
      | "map"
      | "markOf"
      | "reach"
      | "put"
      | "mirror"
      | "mapOdd"
      | "long"
      | "gate"
      | "peek"
      | "poke"
      | "resize"
      | "free"
      | "remove"
      | "poison"
      | "heal"
      | "counts"
      | "failNext"
    >
  > {
  /** What is opened, and mapped from its beginning on; needed unless `open` and `map` are given. */
  readonly path?: string;
  /** A device that pins user memory, for the laws about pins. */
  readonly pinner?: Pinner;
}

/** A module of the guest. */
export interface GuestModule {
  /** The `.ko` on this machine. */
  readonly file: string;
  /** Such as `pages=4`. */
  readonly parameters?: string;
}

/** Why a subject breaks a law, and rightly so. */
export interface Explanation {
  /** Such as `MM-07`. */
  readonly law: string;
  /** Which of the law's programs breaks it; all of them where left out. */
  readonly when?: string;
  /**
   * What the program says is broken, the place of a mapping being told as `an address`: nothing else is explained. Whatever it
   * says where left out.
   */
  readonly seen?: readonly Said[];
  readonly reason: string;
}

/** What a driver is known to make the kernel complain of, which then breaks no law. */
export interface KnownComplaint {
  /** A part of the complaint's first line, such as `untrack_pfn`. */
  readonly of: string;
  readonly reason: string;
}

/** What a subject's author writes. */
export interface SubjectDefinition {
  /** Such as `memfd`. */
  readonly name: string;
  /** What is tried of it: how it maps, where left out. */
  readonly trial?: Trial;
  readonly supports: SubjectSupports;
  /** Object pages `[0, pages)` exist. */
  readonly pages: number;
  /** Object pages that exist in number only; none where left out. */
  readonly holes?: readonly number[];
  /** The name of the module that a live mapping keeps from going. */
  readonly module?: string;
  /** The kernel that it needs; the one for virtual machines where left out. */
  readonly kernel?: KernelFlavour;
  /** That its modules are the drivers of the twins, which are compiled: it takes make, the kernel's headers and their sources. */
  readonly builds?: "drivers";
  /** Modules that are loaded after the boot, in this order, such as those that `stockModules` finds. */
  modules?(kernel: StockKernel): readonly GuestModule[];
  /** Further files of the guest's initramfs. */
  files?(kernel: StockKernel): readonly ArchiveEntry[];
  /** Arguments of QEMU for devices that it needs. */
  readonly devices?: readonly string[];
  /** Words for the kernel's command line. */
  readonly kernelWords?: readonly string[];
  /**
   * Makes it ready for one program, each page marked, in a process of its own that lives as long as the program, and says
   * what can be done with it. Every program of every law begins with this.
   */
  setUp(): Steps<SubjectAbilities>;
  /** Undoes what the end of all processes does not. */
  tearDown?(): Steps<void>;
  /** Laws that it is known to break: told as explained, and as broken when it keeps them. */
  readonly explained?: readonly Explanation[];
  /** Complaints of the kernel that break no law, in whichever program it comes out with them. */
  readonly complaints?: readonly KnownComplaint[];
}

/** Types a subject's definition. */
export function defineSubject(definition: SubjectDefinition): SubjectDefinition {
  return definition;
}

/**
 * The subject that laws are given.
 *
 * @throws Error when it cannot be opened or mapped
 */
export function subjectOf(definition: SubjectDefinition, abilities: SubjectAbilities): Subject {
  const { name, supports, pages, holes = [], module } = definition;
  const { path, open = openPath(name, path), map, pinner: _, ...others } = abilities;
  return {
    markOf,
    accessor: "cpu",
    reach: (address) => user.load(address),
    *put(address, value) {
      return (yield* user.store(address, value)) ?? true;
    },
    ...others,
    name,
    supports,
    wordBits: 64,
    pageSize: PAGE_BYTES,
    pages,
    holes,
    ...(module !== undefined && { module }),
    open,
    map: map ?? ((mapping) => mapWhole(open, pages, mapping)),
  };
}

function openPath(name: string, path: string | undefined): (mode?: OpenMode) => Steps<number> {
  if (path === undefined) throw new Error(`subject ${name} gives neither a path nor a way to open it`);
  return (mode = "read-write") => user.open({ path, mode, blocking: "blocking" });
}

/** Maps what a descriptor shows, page `i` of the object at the offset of `base + i` pages. */
export function* mapWhole(
  open: () => Steps<number>,
  objectPages: number,
  mapping: SubjectMapping = {},
  base = 0,
): Steps<number> {
  const { first = 0, pages = objectPages - first, fixedAt, descriptor } = mapping;
  const opened = descriptor ?? (yield* open());
  if (opened < 0) return opened;
  const address = yield* user.mmap({
    length: pages * PAGE_BYTES,
    protection: mapping.protection ?? VM_READ | VM_WRITE,
    sharing: mapping.sharing ?? "shared",
    pgoff: base + first,
    descriptor: opened,
    ...(fixedAt !== undefined && { address: fixedAt, placement: "fixed" }),
  });
  if (descriptor === undefined) yield* user.close(opened);
  return address;
}
