import {
  type Kernel,
  migratePage,
  oomReap,
  type Sleepable,
  type UserThread,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";

/** The process whose memory a device follows. */
export interface Victim {
  readonly kernel: Kernel;
  readonly thread: UserThread;
  /** Two private pages, written to. */
  readonly ownMemory: number;
  /** Two pages of a memory file, mapped shared and written to. */
  readonly fileMemory: number;
  readonly file: number;
  readonly page: number;
  /** Where a child says what it saw. */
  readonly problems: string[];
}

/** Something that takes translations away or narrows them. */
export interface Operation {
  readonly name: string;
  /** Whether what the device wrote to private memory must still be there afterwards. */
  readonly ownMemory: "kept" | "lost";
  /** Whether what it wrote to the file must. */
  readonly file: "kept" | "lost";
  run(victim: Victim): Sleepable<unknown>;
}

/** Where in each page the device writes. */
export const DEVICE_WORD = 64;

export const operations: readonly Operation[] = [
  {
    name: "munmap",
    ownMemory: "lost",
    file: "kept",
    *run({ thread, ownMemory, fileMemory, page }) {
      yield* thread.munmap(ownMemory, page);
      yield* thread.munmap(fileMemory + page, page);
      // The address is used again at once, by memory that the device may see.
      yield* thread.mmap({
        address: ownMemory,
        placement: "fixed",
        length: page,
        protection: VM_READ | VM_WRITE,
        sharing: "private",
      });
    },
  },
  {
    name: "mremap",
    ownMemory: "lost",
    file: "kept",
    *run({ thread, ownMemory, fileMemory, page }) {
      for (const address of [ownMemory, fileMemory]) {
        const size = { oldLength: page, newLength: page, newAddress: 0x1000_0000 + address };
        yield* thread.mremap({ address, ...size, moving: "may-move" });
      }
    },
  },
  {
    name: "mprotect",
    ownMemory: "kept",
    file: "kept",
    *run({ thread, ownMemory, fileMemory, page }) {
      for (const address of [ownMemory, fileMemory]) {
        yield* thread.mprotect(address, page, VM_READ);
        yield* thread.mprotect(address + page, page, 0);
        yield* thread.mprotect(address, 2 * page, VM_READ | VM_WRITE);
      }
    },
  },
  {
    name: "fork and copy-on-write",
    ownMemory: "kept",
    file: "kept",
    *run({ thread, ownMemory, page, problems }) {
      yield* thread.fork(function* (child) {
        for (const address of [ownMemory, ownMemory + page]) {
          const before = yield* child.load(address + DEVICE_WORD);
          yield* child.store(address, 0xc1);
          yield* child.nanosleep(1);
          const after = yield* child.load(address + DEVICE_WORD);
          if (before !== after) problems.push(`the child saw ${after} where ${before} was`);
        }
      });
      yield* thread.store(ownMemory, 0xa1);
    },
  },
  {
    name: "exit",
    ownMemory: "lost",
    file: "lost",
    *run({ thread }) {
      thread.exit(0);
    },
  },
  {
    name: "madvise(MADV_DONTNEED)",
    ownMemory: "lost",
    file: "kept",
    *run({ thread, ownMemory, fileMemory, page }) {
      yield* thread.madvise(ownMemory, 2 * page, "dontneed");
      yield* thread.madvise(fileMemory, 2 * page, "dontneed");
      // Shows the page of zeros, which a store then replaces.
      yield* thread.load(ownMemory);
      yield* thread.store(ownMemory, 1);
    },
  },
  {
    name: "ftruncate",
    ownMemory: "kept",
    file: "lost",
    *run({ thread, file, page }) {
      yield* thread.ftruncate(file, 0);
      yield* thread.ftruncate(file, 2 * page);
    },
  },
  {
    name: "unmapMappingRange",
    ownMemory: "kept",
    file: "kept",
    *run({ kernel, thread, file }) {
      const mapping = thread.process.file(file)?.inode.mapping;
      if (mapping !== undefined) yield* kernel.mappings.unmapMappingRange(mapping, 0, 0, "even-cows");
    },
  },
  {
    name: "migratePage",
    ownMemory: "kept",
    file: "kept",
    *run({ thread, ownMemory, page }) {
      yield* migratePage(thread.mm, ownMemory);
      yield* migratePage(thread.mm, ownMemory + page);
    },
  },
  {
    name: "oomReap",
    ownMemory: "lost",
    file: "kept",
    *run({ thread }) {
      yield* oomReap(thread.mm);
    },
  },
];
