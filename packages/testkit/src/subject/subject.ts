import type { Access, OpenMode } from "@nopage/core";
import type { Steps } from "../program/operation.ts";
import type { SubjectMirror } from "./device-mirror.ts";

/**
 * What a subject can do, so that a law knows what to expect of it: constant data, every field written out. It must be true
 * in both directions; where a capability is off, the opposite law runs.
 */
export interface SubjectSupports {
  /** When entries are made: all at mmap, or each at the first touch of its page. */
  readonly populate: "eager" | "lazy";
  /** What a touch of a revoked mapping meets; `nothing` for a subject without a gate. */
  readonly whileRevoked: "wait" | "sigbus" | "nothing";
  /** Whether mremap may grow a mapping. */
  readonly mremapGrow: boolean;
  /** Whether what it maps are counted pages: references, rss, get_user_pages. */
  readonly countsPages: boolean;
  /** Whether a private writable mapping is accepted. */
  readonly privateWritable: boolean;
}

/**
 * Memory that is no page of its own: objects of a slab; a block of pages that is neither compound nor split, so that only
 * its first page has a count; a buffer that begins in the middle of a page, the rest of which is somebody else's.
 */
export type OddMemory = "slab" | "bare-block" | "unaligned";

/** What a page of somebody else's begins with, beside `unaligned` memory. */
export const SECRET = 0x5ec_2e75;

/** How an access of a device ends that its translation refuses: there is nobody to send a signal to. */
export const DEVICE_FAULT = "a device fault";

/** How an access of a subject's accessor ends. */
export type Reached<T> = Access<T> | typeof DEVICE_FAULT;

/** How a subject is mapped; all of it, shared and writable, where left out. */
export interface SubjectMapping {
  /** The object's page that the mapping begins with. */
  readonly first?: number;
  readonly pages?: number;
  readonly protection?: number;
  readonly sharing?: "shared" | "private";
  /** Where, with `MAP_FIXED`. */
  readonly fixedAt?: number;
  readonly descriptor?: number;
}

/** What a subject's driver counts about itself. */
export interface HookCounts {
  readonly mmaps: number;
  readonly opens: number;
  readonly closes: number;
  readonly faults: number;
}

/** Hooks that a driver can be told to fail. */
export type FallibleHook = "mmap" | "may-split" | "mremap" | "mprotect" | "mkwrite";

/** Takes the object away from user space for a while, and gives it back. */
export interface SubjectGate {
  close(): Steps<void>;
  open(): Steps<void>;
}

/** An object that is there from `map` until `free`; each of its pages begins with its mark. */
export interface LongObjectOfSubject {
  /** Makes it `pages` pages long and maps all of it at the address `at` (`MAP_FIXED`): the address, or a negated errno. */
  map(pages: number, at: number): Steps<number>;
  /** Takes its device out and gives its memory back. */
  free(): Steps<void>;
}

/**
 * What a law runs against: anything that can be opened and mapped. A strategy on the model is a subject; so is a driver of
 * a real kernel. All that is beyond opening and mapping is optional; what is left out the subject cannot do, and laws
 * that need it do not apply.
 *
 * Page `i` begins with the 32-bit word `markOf(i)` until somebody stores another.
 */
export interface Subject {
  /** Such as `lazy-nopage on page-array`. */
  readonly name: string;
  /** Who touches the mapped memory: user space by loads and stores, or a device by process addresses. */
  readonly accessor: "cpu" | "device";
  readonly supports: SubjectSupports;
  /** Bits of an `unsigned long`: where lengths and offsets of system calls wrap. */
  readonly wordBits: 32 | 64;
  /** Bytes of a page. */
  readonly pageSize: number;
  /** Object pages `[0, pages)` exist. */
  readonly pages: number;
  /** Object pages that are there in number but not in memory. */
  readonly holes: readonly number[];
  /** The name of the module behind it, where one is. */
  readonly module?: string;

  /** Opens it for reading and writing unless told otherwise: a descriptor, or a negated errno. */
  open(mode?: OpenMode): Steps<number>;
  /** Opens it by another of its names, each of which has an inode of its own (another device node). */
  openElsewhere?(): Steps<number>;
  /** Maps it, through `descriptor` or by opening and closing one: the address, or a negated errno. */
  map(mapping?: SubjectMapping): Steps<number>;
  markOf(page: number): number;

  /** The accessor loads 32 bits: the value, or the fault that it meets. */
  reach(address: number): Steps<Reached<number>>;
  /** The accessor stores 32 bits: true once they went through, or the fault that it meets. */
  put(address: number, value: number): Steps<Reached<true>>;

  readonly gate?: SubjectGate;
  /** The device's own translations, where a device is the accessor. */
  readonly mirror?: SubjectMirror;
  /** The first word of an object page as the owner sees it, whatever is mapped. */
  peek?(page: number): Steps<number>;
  /** The owner stores the first word of an object page. */
  poke?(page: number, value: number): Steps<void>;
  /** Changes the object's length: 0, or a negated errno. */
  resize?(pages: number): Steps<number>;
  /** Maps another object of the same driver, made of odd memory: the address, or a negated errno. */
  mapOdd?(memory: OddMemory): Steps<number>;
  /** Another object of the same driver, as long as a law wants it, and without holes. */
  readonly long?: LongObjectOfSubject;
  /**
   * The owner gives all of its memory back while it may be mapped: counted pages at once, bare frames after the device was
   * taken out, as nothing else keeps them. Nobody may `peek` or `poke` afterwards.
   */
  free?(): Steps<void>;
  /** The device is pulled out, for good. */
  remove?(): Steps<void>;
  /**
   * The hardware reports an uncorrectable error in an object page that nobody touches (`hwpoison-inject`): 0, or a negated
   * errno for memory of which the kernel keeps no account.
   */
  poison?(page: number): Steps<number>;
  /** Takes `poison` back (`unpoison-pfn`). */
  heal?(page: number): Steps<number>;
  counts?(): Steps<HookCounts>;
  /**
   * The next time that the hook is asked it answers with the errno, negated. `mkwrite` is asked about pages that are
   * mapped from now on, and becomes SIGBUS.
   */
  failNext?(hook: FallibleHook, errno: number): Steps<void>;
}
