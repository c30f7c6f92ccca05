import { PAGE_BYTES } from "../subject/lab-subject.ts";

/** Pages of memory behind BAR 2 of the small card. */
export const SMALL_CARD_PAGES = 4;

/** Its folder in sysfs. */
export const SMALL_CARD = "/sys/bus/pci/devices/0000:00:10.0";

/** A card with a BAR that is real memory and just a few pages long, where nothing else is plugged in. */
export const smallCard = [
  ...["-object", `memory-backend-ram,id=small,size=${SMALL_CARD_PAGES * PAGE_BYTES},share=on`],
  ...["-device", "ivshmem-plain,memdev=small,addr=0x10"],
];
