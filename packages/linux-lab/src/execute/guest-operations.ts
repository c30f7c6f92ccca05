import {
  type Access,
  type Advice,
  areaFlagNames,
  EOVERFLOW,
  type SmapsArea,
  type UserAddress,
} from "@nopage/core";
import type { OperationName, OperationTypes } from "@nopage/testkit/executor";
import {
  type AgentAnswer,
  accessOf,
  bytesAsWord,
  numberAsWord,
  numberOf,
  restOf,
  textAsWord,
} from "../guest/line-protocol.ts";
import { signalNumber } from "./signals.ts";
import { type SystemCall, systemCalls } from "./system-calls.ts";

/** Operations that say something about several actors or about time, which the executor sees to itself. */
export type OwnOperation =
  | "thread"
  | "fork"
  | "process"
  | "join"
  | "stateOf"
  | "settle"
  | "kill"
  | "exit"
  | "sleep"
  | "kernel";

/** Operations that an actor of the guest does. */
export type GuestOperation = Exclude<OperationName, OwnOperation>;

/** What an actor is asked for, and what its answer means; or the answer itself, where no guest need be asked. */
type Asked<Answer> =
  | { readonly words: string; readonly read: (answer: AgentAnswer) => Answer }
  | { readonly answer: Answer };

const PAGE = 4096;
const PAGEMAP_ENTRY = 8;
/** Pages that mincore can be asked about here: the agent has no more room for its answer. */
const MOST_SHOWN = 12_288;

const AT_FDCWD = -100;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const openModes = { read: 0, write: 1, "read-write": 2 } as const;

const RLIMIT_MEMLOCK = 8;

const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_ANONYMOUS = 0x20;
const MAP_LOCKED = 0x2000;
const MAP_POPULATE = 0x8000;
const placements = { hint: 0, fixed: 0x10, "fixed-noreplace": 0x10_0000 } as const;

const MREMAP_MAYMOVE = 1;
const MREMAP_FIXED = 2;
const MREMAP_DONTUNMAP = 4;

const MS_ASYNC = 1;
const MS_INVALIDATE = 2;
const MS_SYNC = 4;

const advices: Readonly<Record<Advice, number>> = {
  dontneed: 4,
  dontfork: 10,
  dofork: 11,
  dontdump: 16,
  dodump: 17,
  "populate-read": 22,
  "populate-write": 23,
};

/** The words of a system call; text is handed to the kernel by its address. */
export function callWords(call: SystemCall, ...words: readonly (number | bigint | string)[]): string {
  const given = words.map((word) => (typeof word === "string" ? word : numberAsWord(word)));
  return ["call", systemCalls[call], ...given].join(" ");
}

/** Text or bytes as an argument: the kernel is given their address, with a zero byte at the end. */
export function textArgument(text: string | Uint8Array): string {
  return `:${typeof text === "string" ? textAsWord(text) : bytesAsWord(text)}`;
}

/** So many bytes for the kernel to write into, which the answer shows. */
export function roomArgument(bytes: number): string {
  return `>${bytes}`;
}

function call(name: SystemCall, ...words: readonly (number | bigint | string)[]): Asked<number> {
  return { words: callWords(name, ...words), read: numberOf };
}

/** What each operation is in the guest. */
const operations: {
  readonly [K in GuestOperation]: (
    request: OperationTypes[K]["request"],
  ) => Asked<OperationTypes[K]["answer"]>;
} = {
  open: ({ path, mode, blocking }) =>
    call(
      "openat",
      AT_FDCWD,
      textArgument(path),
      openModes[mode] | O_CLOEXEC | (blocking === "nonblocking" ? O_NONBLOCK : 0),
      0,
    ),
  close: ({ descriptor }) => call("close", descriptor),
  read: ({ descriptor, buffer, bytes }) => call("read", descriptor, buffer, bytes),
  write: ({ descriptor, buffer, bytes }) => call("write", descriptor, buffer, bytes),
  ioctl: ({ descriptor, command, argument }) => call("ioctl", descriptor, command, argument),
  memfd: ({ name }) => call("memfd_create", textArgument(name), 0),
  ftruncate: ({ descriptor, bytes }) => call("ftruncate", descriptor, bytes),

  mmap(request) {
    const offset = BigInt((request.pgoff ?? 0) * PAGE);
    // The system call counts the offset in bytes: one that 64 bits do not hold cannot even be asked for.
    if (offset >= 1n << 64n) return { answer: -EOVERFLOW };
    const flags =
      (request.sharing === "shared" ? MAP_SHARED : MAP_PRIVATE) |
      placements[request.placement ?? "hint"] |
      (request.locking === "locked" ? MAP_LOCKED : 0) |
      (request.populating === "populate" ? MAP_POPULATE : 0) |
      (request.descriptor === undefined ? MAP_ANONYMOUS : 0);
    const { address = 0, length, protection, descriptor = -1 } = request;
    return call("mmap", address, length, protection, flags, descriptor, offset);
  },
  munmap: ({ address, length }) => call("munmap", address, length),
  mremap({ address, oldLength, newLength, moving, newAddress, oldRange }) {
    const flags =
      (moving === "may-move" ? MREMAP_MAYMOVE : 0) |
      (newAddress === undefined ? 0 : MREMAP_FIXED) |
      (oldRange === "keep" ? MREMAP_DONTUNMAP : 0);
    return call("mremap", address, oldLength, newLength, flags, newAddress ?? 0);
  },
  mprotect: ({ address, length, protection }) => call("mprotect", address, length, protection),
  madvise: ({ address, length, advice }) => call("madvise", address, length, advices[advice]),
  mlock: ({ address, length }) => call("mlock", address, length),
  munlock: ({ address, length }) => call("munlock", address, length),
  msync: ({ address, length, writing, others }) =>
    call(
      "msync",
      address,
      length,
      (writing === "async" ? MS_ASYNC : MS_SYNC) | (others === "invalidate" ? MS_INVALIDATE : 0),
    ),
  mincore: ({ address, length }) => ({
    words: callWords(
      "mincore",
      address,
      length,
      roomArgument(Math.min(MOST_SHOWN, Math.max(0, Math.ceil(length / PAGE)))),
    ),
    read(answer) {
      const result = numberOf(answer);
      const pages = bytesIn(answer).subarray(0, Math.ceil(length / PAGE));
      return result < 0 ? result : [...pages].map((byte) => (byte & 1) !== 0);
    },
  }),
  load: ({ address, width }) => ({
    words: `load ${width} ${numberAsWord(address)}`,
    read(answer) {
      const value = accessOf(answer);
      return typeof value === "bigint" ? Number(value) : (value as Access<number>);
    },
  }),
  store: ({ address, width, value }) => store(width, address, value),
  load64: ({ address }) => ({
    words: `load 8 ${numberAsWord(address)}`,
    read: (answer) => accessOf(answer) as Access<bigint>,
  }),
  store64: ({ address, value }) => store(8, address, value),

  smaps: () => ({ words: "areas", read: (answer) => readAreas(restOf(answer)) }),
  memoryStatus: () => ({
    words: "status",
    read(answer) {
      const [size = 0, rss = 0, locked = 0, pinned = 0] = restOf(answer).map(pagesIn);
      return { size, rss, locked, pinned };
    },
  }),
  faults: () => ({
    words: "faults",
    read(answer) {
      const [minor = 0, major = 0] = restOf(answer).map(Number);
      return { minor, major };
    },
  }),
  pagemap: ({ address, pages }) => ({
    words: `read ${textArgument("/proc/self/pagemap")} ${(address / PAGE) * PAGEMAP_ENTRY} ${pages * PAGEMAP_ENTRY}`,
    read(answer) {
      const entries = Buffer.from(bytesIn(answer));
      // Bit 63: the page is present (Documentation/admin-guide/mm/pagemap.rst).
      return Array.from({ length: pages }, (_, page) => {
        const at = page * PAGEMAP_ENTRY;
        return at + PAGEMAP_ENTRY <= entries.length && entries.readBigUInt64LE(at) >> 63n === 1n;
      });
    },
  }),
  readProcMem: ({ address, bytes }) => ({
    words: `read ${textArgument("/proc/self/mem")} ${numberAsWord(address)} ${bytes}`,
    read: (answer) => bytesIn(answer),
  }),
  writeProcMem: ({ address, from }) => ({
    words: `write ${textArgument("/proc/self/mem")} ${numberAsWord(address)} ${textArgument(from)}`,
    // Where nothing could be written the kernel says EIO; asked for is the number of bytes.
    read: (answer) => Math.max(0, numberOf(answer)),
  }),
  processVmRead: ({ address, bytes }) => ({
    words: `copy ${numberAsWord(address)} ${bytes}`,
    read(answer) {
      const moved = numberOf(answer);
      return moved < 0 ? moved : bytesIn(answer);
    },
  }),

  countSignal: ({ signal }) => ({ words: `count ${signalNumber(signal)}`, read: () => undefined }),
  signalsTaken: ({ signal }) => ({ words: `taken ${signalNumber(signal)}`, read: numberOf }),
  deleteModule: ({ name }) => call("delete_module", textArgument(name), O_NONBLOCK),
  guest: ({ words }) => ({ words, read: (answer) => answer }),
};

function store(width: number, address: number, value: number | bigint): Asked<Access<undefined>> {
  return {
    words: `store ${width} ${numberAsWord(address)} ${numberAsWord(value)}`,
    read: (answer) => accessOf(answer) as Access<undefined>,
  };
}

/** Sets how many pages the calling process and its children may lock. */
export function lockLimitWords(pages: number): string {
  const limit = BigInt(pages * PAGE);
  return callWords(
    "prlimit64",
    0,
    RLIMIT_MEMLOCK,
    textArgument(new Uint8Array(new BigUint64Array([limit, limit]).buffer)),
    0,
  );
}

/** What an operation is in the guest; undefined where it is the executor's own, or unknown. */
export function askedFor(name: OperationName, request: object): Asked<unknown> | undefined {
  const asked = operations[name as GuestOperation] as ((given: object) => Asked<unknown>) | undefined;
  return asked?.(request);
}

/** The bytes that an answer shows. */
export function bytesIn(answer: AgentAnswer, which = 0): Uint8Array {
  return new Uint8Array(Buffer.from(restOf(answer)[which] ?? "", "hex"));
}

const knownFlags = new Set(areaFlagNames(-1));

/** Areas as the agent lists them; flags that the model has no word for are left out. */
function readAreas(words: readonly string[]): readonly SmapsArea[] {
  const areas: SmapsArea[] = [];
  for (let at = words.indexOf("area"); at >= 0; at = words.indexOf("area", at + 1)) {
    const next = words.indexOf("area", at + 1);
    const [start, end, offset, , name = ":", rss, anonymous, locked, ...flags] = words.slice(
      at + 1,
      next < 0 ? undefined : next,
    );
    areas.push({
      start: Number(start) as UserAddress,
      end: Number(end) as UserAddress,
      pgoff: Number(BigInt(offset ?? 0) / BigInt(PAGE)),
      name: Buffer.from(name.slice(1), "hex").toString("utf8"),
      shared: flags.includes("sh"),
      rss: pagesIn(rss),
      anonymous: pagesIn(anonymous),
      locked: pagesIn(locked),
      flags: flags.filter((flag) => knownFlags.has(flag)),
    });
  }
  return areas;
}

/** Pages of a size in kilobytes. */
function pagesIn(kilobytes: string | undefined): number {
  return Number(kilobytes ?? 0) / (PAGE / 1024);
}
