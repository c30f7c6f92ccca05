import { defineSubject, mapWhole, markOf, mustSucceed, type Steps, user } from "@nopage/linux-lab";

const PATH = "/dev/my_driver";
const PAGES = 4;
const PAGE_BYTES = 4096;
/** `_IO('m', 1)`. */
const MY_RESIZE = 0x6d01;

/** What the driver is held to: how it is opened, marked and resized, and what it promises. */
export const myDriver = defineSubject({
  name: "my-driver",
  pages: PAGES,
  module: "my_driver",
  supports: {
    populate: "lazy",
    whileRevoked: "nothing",
    mremapGrow: false,
    countsPages: true,
    privateWritable: true,
  },
  *setUp() {
    yield* resize(0);
    yield* resizeAndMark(PAGES);
    return { path: PATH, resize: resizeAndMark };
  },
});

/** Pages that the driver adds are zero, so each gets its mark again. */
function* resizeAndMark(pages: number): Steps<number> {
  const result = yield* resize(pages);
  if (result === 0 && pages > 0) yield* mark(pages);
  return result;
}

function* resize(pages: number): Steps<number> {
  const descriptor = yield* open();
  const result = yield* user.ioctl(descriptor, MY_RESIZE, pages);
  yield* user.close(descriptor);
  return result;
}

/** Pages that have a word already keep it. */
function* mark(pages: number): Steps<void> {
  const address = mustSucceed("mmap", yield* mapWhole(open, pages));
  for (let page = 0; page < pages; page++) {
    const at = address + page * PAGE_BYTES;
    if ((yield* user.load(at)) === 0) yield* user.store(at, markOf(page));
  }
  yield* user.munmap(address, pages * PAGE_BYTES);
}

function* open(): Steps<number> {
  return mustSucceed("open", yield* user.open({ path: PATH, mode: "read-write", blocking: "blocking" }));
}
