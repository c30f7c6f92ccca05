import { migratePage, oomReap, VM_READ, VM_WRITE } from "@nopage/core";
import { mustBe, mustReach, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import { DEVICE_FAULT, type Subject } from "../../subject/subject.ts";
import type { LawCase } from "../law.ts";

/** Where the device follows a process, and which page something happens to. */
interface Followed {
  readonly subject: Subject;
  readonly address: number;
  /** The page that something happens to: neither the first nor the last. */
  readonly target: number;
  readonly descriptor: number;
}

interface TakingAway {
  readonly name: string;
  readonly sharing: "shared" | "private";
  readonly executor?: "model";
  run(followed: Followed): Steps<unknown>;
}

const all: readonly TakingAway[] = [
  { name: "munmap", sharing: "shared", run: ({ target, subject }) => user.munmap(target, subject.pageSize) },
  {
    name: "munmap of private pages",
    sharing: "private",
    run: ({ target, subject }) => user.munmap(target, subject.pageSize),
  },
  {
    name: "other memory at the same address",
    sharing: "shared",
    *run({ target, subject }) {
      yield* succeed(
        "mmap over the mapping",
        user.mmap({
          address: target,
          placement: "fixed",
          length: subject.pageSize,
          protection: VM_READ | VM_WRITE,
          sharing: "private",
        }),
      );
      yield* user.store(target, 0xb);
    },
  },
  {
    name: "mprotect to read-only",
    sharing: "shared",
    run: ({ target, subject }) => user.mprotect(target, subject.pageSize, VM_READ),
  },
  {
    name: "mprotect to nothing",
    sharing: "private",
    run: ({ target, subject }) => user.mprotect(target, subject.pageSize, 0),
  },
  {
    name: "mremap away",
    sharing: "shared",
    *run({ target, subject: { pageSize } }) {
      const size = { oldLength: pageSize, newLength: pageSize, newAddress: 0x1000_0000 };
      yield* succeed("mremap", user.mremap({ address: target, ...size, moving: "may-move" }));
    },
  },
  {
    name: "MADV_DONTNEED",
    sharing: "private",
    run: ({ target, subject }) => user.madvise(target, subject.pageSize, "dontneed"),
  },
  {
    name: "a store to a page that a fork shares",
    sharing: "private",
    *run({ target }) {
      const child = yield* user.fork(function* () {
        yield* user.sleep(1000);
      });
      yield* user.store(target, 0xc);
      if (typeof child === "object") yield* user.join(child);
    },
  },
  {
    name: "truncation",
    sharing: "shared",
    run: ({ target, address, descriptor }) => user.ftruncate(descriptor, target - address),
  },
  {
    name: "migration",
    sharing: "private",
    executor: "model",
    run: ({ target }) => user.kernel(({ thread }) => migratePage(thread.mm, target)),
  },
  {
    name: "the OOM reaper",
    sharing: "private",
    executor: "model",
    run: () => user.kernel(({ thread }) => oomReap(thread.mm)),
  },
];

/** For each way to take translations away: afterwards the device sees what the process sees, and may do no more. */
export const deviceAgreesCases: readonly LawCase[] = all.map(({ name, sharing, executor, run }) => ({
  when: name,
  schedule: "sequential",
  about: ["mirroring"],
  ...(executor !== undefined && { executor }),
  *program({ subject }) {
    const { pageSize, pages } = subject;
    const descriptor = yield* succeed("open", subject.open());
    const address = yield* succeed("mmap", subject.map({ sharing, descriptor }));
    for (let page = 0; page < pages; page++) {
      const stored = yield* subject.put(address + page * pageSize, 0xa0 + page);
      mustReach(`the device's store to page ${page}`, stored);
    }
    yield* run({ subject, address, target: address + pageSize, descriptor });
    for (let page = 0; page < pages; page++) {
      yield* mustAgree(subject, `page ${page} after ${name}`, address + page * pageSize);
    }
  },
}));

/** The device must see at an address what the process sees, and must be able to store there only if the process is. */
export function* mustAgree(subject: Subject, what: string, address: number): Steps<void> {
  const seen = yield* subject.reach(address);
  const own = yield* user.load(address);
  mustBe(`what the device reads at ${what}`, seen, typeof own === "number" ? own : DEVICE_FAULT);
  const isStored = (yield* subject.put(address, 0xd)) === true;
  const mayStore = (yield* user.store(address + 4, 1)) === undefined;
  mustBe(`whether the device may store to ${what}`, isStored, mayStore);
  if (isStored) mustBe(`what the process reads at ${what} then`, yield* user.load(address), 0xd);
}
