import { mustSucceed, type Steps, user } from "@nopage/testkit/executor";
import { lab } from "../execute/lab-calls.ts";
import { defineSubject, mapWhole, PAGE_BYTES } from "../subject/lab-subject.ts";
import { fullMachine } from "./full-machine.ts";
import { KeptDescriptor } from "./kept-descriptor.ts";
import { markPages } from "./marking.ts";
import { SMALL_CARD, SMALL_CARD_PAGES } from "./small-card.ts";

/** `_IO(';', 100 + n)`: include/uapi/linux/vfio.h. */
const VFIO_SET_IOMMU = 0x3b66;
const VFIO_GROUP_SET_CONTAINER = 0x3b68;
const VFIO_GROUP_GET_DEVICE_FD = 0x3b6a;
const VFIO_TYPE1_IOMMU = 1;

/** Where a region begins in the device's file (`VFIO_PCI_INDEX_TO_OFFSET`). */
const regionOffset = (index: number): number => index * 2 ** 40;
const BAR = regionOffset(2);
const CONFIG = regionOffset(7);

/** The function's command register, and its bit that lets memory answer. */
const PCI_COMMAND = CONFIG + 4;
const PCI_COMMAND_MEMORY = 2;

const NOT_FOLLOWED =
  "vfio_pci_mmap_open takes everything away so that the next touch tells of the area, but fork and mremap put the entries into it only afterwards: the copy is never on the list of what is taken away";

/**
 * A BAR of a card that a process drives by itself: drivers/vfio/pci/vfio_pci_core.c `vfio_pci_mmap_fault` maps the whole area at
 * the first touch, and takes it away while the function's memory is switched off.
 */
export const vfio = defineSubject({
  ...fullMachine,
  name: "vfio",
  pages: SMALL_CARD_PAGES,
  supports: {
    populate: "lazy",
    whileRevoked: "sigbus",
    mremapGrow: false,
    countsPages: false,
    privateWritable: false,
  },
  explained: [
    {
      law: "RV-03",
      when: "the object is taken away",
      seen: ["a load from page 0 reads 0 while the object is taken away"],
      reason: NOT_FOLLOWED,
    },
    {
      law: "RV-08",
      when: "a piece of it that has moved",
      seen: ["a load from page 3 reads 0 while the object is taken away"],
      reason: NOT_FOLLOWED,
    },
    {
      law: "QU-01",
      when: "by a process, its child and a stranger",
      seen: ["a load through it while the object is taken away is 0, and must be SIGBUS BUS_ADRERR"],
      reason: NOT_FOLLOWED,
    },
    {
      law: "QU-01",
      when: "while a child touches it",
      seen: ["a load from page 0 ends in 0, and must end in 0xface0000 or SIGBUS BUS_ADRERR"],
      reason: NOT_FOLLOWED,
    },
    {
      law: "QU-09",
      when: "fork at any moment",
      seen: ["a load from page 0 ends in 0, and must end in 0xface0000 or SIGBUS BUS_ADRERR"],
      reason: NOT_FOLLOWED,
    },
    {
      law: "QU-07",
      seen: ["a load through it while the object is taken away is 0xface0000, and must be SIGBUS BUS_ADRERR"],
      reason: "its gate is a bit of the command register, which counts nothing: the first that sets it opens",
    },
    {
      law: "PF-09",
      when: "bare frames",
      seen: ["msync is -EINVAL, and must be 0"],
      reason: "its files have no fsync, without which msync that waits is EINVAL (fs/sync.c vfs_fsync_range)",
    },
  ],
  complaints: [
    {
      of: "untrack_pfn",
      reason:
        "vfio_pci_mmap_open takes away what a copy of an area maps, also the still empty one that mremap has made, of which x86 knows that it was mapped whole",
    },
  ],
  *setUp() {
    const device = yield* openDevice();
    yield* setMemory(device, PCI_COMMAND_MEMORY);
    const kept = yield* KeptDescriptor.of(device);
    const open = () => kept.open();
    const base = BAR / PAGE_BYTES;
    yield* markPages({ open, pages: SMALL_CARD_PAGES, base });
    return {
      open: (mode) => kept.open(mode),
      map: (mapping) => mapWhole(open, SMALL_CARD_PAGES, mapping, base),
      gate: { close: () => switchMemory(kept, 0), open: () => switchMemory(kept, PCI_COMMAND_MEMORY) },
      *peek(page) {
        const descriptor = mustSucceed("open", yield* kept.open());
        const { written } = yield* lab.call("pread64", descriptor, { room: 4 }, 4, BAR + page * PAGE_BYTES);
        yield* user.close(descriptor);
        return new DataView((written[0] ?? new Uint8Array(4)).buffer).getUint32(0, true);
      },
      *poke(page, value) {
        const descriptor = mustSucceed("open", yield* kept.open());
        const word = new Uint8Array(new Uint32Array([value]).buffer);
        yield* lab.call("pwrite64", descriptor, word, word.length, BAR + page * PAGE_BYTES);
        yield* user.close(descriptor);
      },
    };
  },
});

/** Gives the card to vfio-pci, as far as it is not its yet, and opens it: the device's descriptor. */
function* openDevice(): Steps<number> {
  mustSucceed("driver_override", yield* lab.writeFile(`${SMALL_CARD}/driver_override`, "vfio-pci"));
  const name = SMALL_CARD.slice(SMALL_CARD.lastIndexOf("/") + 1);
  mustSucceed("drivers_probe", yield* lab.writeFile("/sys/bus/pci/drivers_probe", name));
  const nodes = yield* lab.listFolder("/dev/vfio");
  const [number = "none"] = typeof nodes === "number" ? [] : nodes.filter((node) => node !== "vfio");
  const container = yield* openNode("/dev/vfio/vfio");
  const group = yield* openNode(`/dev/vfio/${number}`);
  const pointed = new Uint8Array(new Int32Array([container]).buffer);
  const joined = (yield* lab.call("ioctl", group, VFIO_GROUP_SET_CONTAINER, pointed)).result;
  mustSucceed("VFIO_GROUP_SET_CONTAINER", joined);
  mustSucceed("VFIO_SET_IOMMU", yield* user.ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
  const opened = (yield* lab.call("ioctl", group, VFIO_GROUP_GET_DEVICE_FD, name)).result;
  return mustSucceed("VFIO_GROUP_GET_DEVICE_FD", opened);
}

function* openNode(path: string): Steps<number> {
  return mustSucceed(`open of ${path}`, yield* user.open({ path, mode: "read-write", blocking: "blocking" }));
}

function* switchMemory(kept: KeptDescriptor, command: number): Steps<void> {
  const descriptor = mustSucceed("open", yield* kept.open());
  yield* setMemory(descriptor, command);
  yield* user.close(descriptor);
}

function* setMemory(descriptor: number, command: number): Steps<void> {
  const word = new Uint8Array(new Uint16Array([command]).buffer);
  const { result } = yield* lab.call("pwrite64", descriptor, word, word.length, PCI_COMMAND);
  mustSucceed("the command register", result);
}
