import { VM_READ, VM_WRITE } from "@nopage/core";
import { markOf, mustSucceed, type Steps, user } from "@nopage/testkit/executor";
import { lab } from "../execute/lab-calls.ts";
import { defineSubject, PAGE_BYTES } from "./lab-subject.ts";

const PAGES = 4;

const PAST_ITS_END = "a file may be mapped past its end: it is the touch there that fails (TR-01)";

/**
 * A memory file: pages of the page cache, which the kernel's own handler (mm/shmem.c `shmem_fault`) shows one at a time.
 * Other processes open it by the descriptor that its keeper holds.
 */
export const memfd = defineSubject({
  name: "memfd",
  pages: PAGES,
  supports: {
    populate: "lazy",
    whileRevoked: "nothing",
    mremapGrow: true,
    countsPages: true,
    privateWritable: true,
  },
  explained: [
    {
      law: "MM-06",
      when: "over private memory, with a hook that refuses",
      seen: ["mmap of a range outside the object succeeds, and must fail"],
      reason: PAST_ITS_END,
    },
    {
      law: "MM-07",
      when: "ranges that end past the object",
      seen: [
        "mmap of 5 pages from object page 0 on, of an object of 4, answers an address, and must fail with one of EINVAL, ENXIO, EOVERFLOW, ENOMEM",
      ],
      reason: PAST_ITS_END,
    },
    {
      law: "MM-07",
      when: "offsets and lengths that wrap",
      seen: [
        "mmap of 1 pages from object page 524286 on, of an object of 4, answers an address, and must fail with one of EINVAL, ENXIO, EOVERFLOW, ENOMEM",
      ],
      reason: PAST_ITS_END,
    },
    { law: "RC-06", seen: ["a mapping outside the object succeeds"], reason: PAST_ITS_END },
  ],
  *setUp() {
    // A fault shows the page that was asked for and no others, as on the model, which has no `map_pages`.
    const faultAround = "/sys/kernel/debug/fault_around_bytes";
    mustSucceed(`writing ${faultAround}`, yield* lab.writeFile(faultAround, String(PAGE_BYTES)));
    const descriptor = mustSucceed("memfd_create", yield* user.memfd("subject"));
    mustSucceed("ftruncate", yield* user.ftruncate(descriptor, PAGES * PAGE_BYTES));
    const keeper = (yield* lab.call("getpid")).result;
    const path = `/proc/${keeper}/fd/${descriptor}`;
    const request = {
      length: PAGES * PAGE_BYTES,
      protection: VM_READ | VM_WRITE,
      sharing: "shared",
    } as const;
    const address = mustSucceed("mmap", yield* user.mmap({ ...request, descriptor }));
    for (let page = 0; page < PAGES; page++) yield* user.store(address + page * PAGE_BYTES, markOf(page));
    mustSucceed("munmap", yield* user.munmap(address, request.length));
    return { path, resize: (pages) => resize(path, pages), peek: (page) => peek(path, page) };
  },
});

/** What has been cut off and comes back is marked anew, as its owner would. */
function* resize(path: string, pages: number): Steps<number> {
  const descriptor = mustSucceed(
    "open",
    yield* user.open({ path, mode: "read-write", blocking: "blocking" }),
  );
  const before = yield* lengthOf(descriptor);
  const result = yield* user.ftruncate(descriptor, pages * PAGE_BYTES);
  for (let page = before; page < Math.min(pages, PAGES); page++) {
    const word = new Uint8Array(new Uint32Array([markOf(page)]).buffer);
    yield* lab.call("pwrite64", descriptor, word, word.length, page * PAGE_BYTES);
  }
  yield* user.close(descriptor);
  return result;
}

const SEEK_END = 2;

function* lengthOf(descriptor: number): Steps<number> {
  return (yield* lab.call("lseek", descriptor, 0, SEEK_END)).result / PAGE_BYTES;
}

function* peek(path: string, page: number): Steps<number> {
  const descriptor = mustSucceed("open", yield* user.open({ path, mode: "read", blocking: "blocking" }));
  const { written } = yield* lab.call("pread64", descriptor, { room: 4 }, 4, page * PAGE_BYTES);
  yield* user.close(descriptor);
  return new DataView((written[0] ?? new Uint8Array(4)).buffer).getUint32(0, true);
}
