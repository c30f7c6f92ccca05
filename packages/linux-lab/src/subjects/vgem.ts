import { VM_READ, VM_WRITE } from "@nopage/core";
import { mustSucceed, type Steps, type SubjectMapping, user } from "@nopage/testkit/executor";
import { NotObservable } from "../execute/lab-executor.ts";
import { defineSubject, mapWhole, PAGE_BYTES } from "../subject/lab-subject.ts";
import { fullMachine } from "./full-machine.ts";
import { KeptDescriptor } from "./kept-descriptor.ts";
import { markPages, peekThrough, pokeThrough } from "./marking.ts";

const PAGES = 4;

/** A line of a picture of so many pixels of 32 bits fills a page. */
const PIXELS = PAGE_BYTES / 4;

const DRM_IOCTL_MODE_CREATE_DUMB = 0xc020_64b2;
const DRM_IOCTL_MODE_MAP_DUMB = 0xc010_64b3;

const COUNTED_FROM_START =
  "drm_gem_shmem_fault counts pages from the beginning of the area, which is another one once its front was cut off";

/**
 * A buffer of a graphics driver without a card: drivers/gpu/drm/drm_gem_shmem_helper.c `drm_gem_shmem_fault` shows one page of
 * ordinary memory at a time as a bare frame.
 */
export const vgem = defineSubject({
  ...fullMachine,
  name: "vgem",
  pages: PAGES,
  supports: {
    populate: "lazy",
    whileRevoked: "nothing",
    mremapGrow: false,
    countsPages: false,
    privateWritable: false,
  },
  explained: [
    {
      law: "LC-08",
      seen: ["above the hole: object page 3 is 0xface0000, and must be 0xface0003"],
      reason: COUNTED_FROM_START,
    },
    {
      law: "LC-10",
      when: "cut at the front",
      seen: ["what is left without 1 pages: object page 1 is 0xface0000, and must be 0xface0001"],
      reason: COUNTED_FROM_START,
    },
    {
      law: "LC-10",
      when: "cut at the front, and touched only then",
      seen: ["the last page: object page 3 is 0xface0000, and must be 0xface0003"],
      reason: COUNTED_FROM_START,
    },
    {
      law: "LC-10",
      when: "split by mprotect",
      seen: ["the three pieces: object page 1 is 0xface0000, and must be 0xface0001"],
      reason: COUNTED_FROM_START,
    },
    {
      law: "LC-12",
      when: "a page that was never touched",
      seen: ["the moved page: object page 1 is 0xface0000, and must be 0xface0001"],
      reason: COUNTED_FROM_START,
    },
    {
      law: "FR-16",
      when: "touched for the first time after a split and a move",
      seen: ["object page 1, moved without page 0, is 0xface0000, and must be 0xface0001"],
      reason: COUNTED_FROM_START,
    },
    {
      law: "PF-09",
      when: "bare frames",
      seen: ["msync is -EINVAL, and must be 0"],
      reason:
        "the files of graphics drivers have no fsync, without which msync that waits is EINVAL (fs/sync.c vfs_fsync_range)",
    },
  ],
  *setUp() {
    // A read is not to wait for what may happen on a screen.
    const request = { path: "/dev/dri/card0", mode: "read-write", blocking: "nonblocking" } as const;
    const card = mustSucceed("open of the card", yield* user.open(request));
    const base = (yield* offsetOfBuffer(card)) / PAGE_BYTES;
    const kept = yield* KeptDescriptor.of(card);
    const open = () => kept.open();
    const view = { open, pages: PAGES, base };
    yield* markPages(view);
    return {
      open: (mode) => kept.open(mode),
      map: (mapping) => mapFromBeginning(open, mapping, base),
      peek: (page) => peekThrough(view, page),
      poke: (page, value) => pokeThrough(view, page, value),
    };
  },
});

/**
 * Its driver finds buffers by where they begin (drivers/gpu/drm/drm_gem.c `drm_gem_mmap`).
 *
 * @throws NotObservable for a part of the buffer that begins elsewhere
 */
function mapFromBeginning(
  open: () => Steps<number>,
  mapping: SubjectMapping | undefined,
  base: number,
): Steps<number> {
  const { first = 0, pages = PAGES - first } = mapping ?? {};
  if (first > 0 && pages > 0 && first + pages <= PAGES) {
    throw new NotObservable("its driver maps it from its beginning only");
  }
  return mapWhole(open, PAGES, mapping, base);
}

/** Makes a buffer: the offset by which it is mapped, in bytes. */
function* offsetOfBuffer(card: number): Steps<number> {
  const protection = VM_READ | VM_WRITE;
  const memory = { length: PAGE_BYTES, protection, sharing: "private" } as const;
  const address = mustSucceed("mmap", yield* user.mmap(memory));
  // struct drm_mode_create_dumb: height, width, bits of a pixel, flags, and, answered, handle, bytes of a line, bytes.
  yield* user.store(address, PAGES);
  yield* user.store(address + 4, PIXELS);
  yield* user.store(address + 8, 32);
  mustSucceed("CREATE_DUMB", yield* user.ioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, address));
  const handle = yield* user.load(address + 16);
  // struct drm_mode_map_dumb: handle, nothing, and, answered, the offset.
  yield* user.store(address + 32, typeof handle === "number" ? handle : 0);
  mustSucceed("MAP_DUMB", yield* user.ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, address + 32));
  const offset = yield* user.load64(address + 40);
  yield* user.munmap(address, PAGE_BYTES);
  return Number(offset);
}
