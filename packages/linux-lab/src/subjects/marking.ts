import { VM_READ, VM_WRITE } from "@nopage/core";
import { markOf, mustSucceed, type Steps, user } from "@nopage/testkit/executor";
import { lab } from "../execute/lab-calls.ts";
import { PAGE_BYTES } from "../subject/lab-subject.ts";

/** What an owner maps for itself for a moment: at an offset of `base` pages, `pages` long. */
export interface OwnView {
  open(): Steps<number>;
  readonly pages: number;
  readonly base?: number;
}

/** Fills the object with zeros but for each page's mark, through a mapping that goes again. */
export function* markPages(view: OwnView): Steps<void> {
  yield* throughOwnView(view, function* (address) {
    yield* clear(address, view.pages * PAGE_BYTES);
    for (let page = 0; page < view.pages; page++)
      yield* user.store(address + page * PAGE_BYTES, markOf(page));
  });
}

/** The first word of a page, through a mapping of the owner's that goes again. */
export function peekThrough(view: OwnView, page: number): Steps<number> {
  return throughOwnView(view, function* (address) {
    const seen = yield* user.load(address + page * PAGE_BYTES);
    if (typeof seen !== "number") throw new Error(`the owner's look at page ${page} ends in ${seen.signal}`);
    return seen;
  });
}

/** Stores the first word of a page in the same way. */
export function* pokeThrough(view: OwnView, page: number, value: number): Steps<void> {
  yield* throughOwnView(view, (address) => user.store(address + page * PAGE_BYTES, value));
}

function* throughOwnView<T>(
  { open, pages, base = 0 }: OwnView,
  look: (address: number) => Steps<T>,
): Steps<T> {
  const descriptor = mustSucceed("the owner's open", yield* open());
  const length = pages * PAGE_BYTES;
  const protection = VM_READ | VM_WRITE;
  const mapped = yield* user.mmap({ length, protection, sharing: "shared", descriptor, pgoff: base });
  const address = mustSucceed("the owner's mmap", mapped);
  const seen = yield* look(address);
  yield* user.munmap(address, length);
  yield* user.close(descriptor);
  return seen;
}

/** The kernel writes the zeros, which takes one call and no bytes on the line to the guest. */
function* clear(address: number, bytes: number): Steps<void> {
  const zeros = yield* user.open({ path: "/dev/zero", mode: "read", blocking: "blocking" });
  const { result } = yield* lab.call("read", mustSucceed("open of /dev/zero", zeros), address, bytes);
  if (result !== bytes) throw new Error(`${result} of ${bytes} bytes could be cleared`);
  yield* user.close(zeros);
}
