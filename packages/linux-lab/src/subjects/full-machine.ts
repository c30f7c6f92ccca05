import { stockModules } from "../guest/stock-kernel.ts";
import type { SubjectDefinition } from "../subject/lab-subject.ts";
import { smallCard } from "./small-card.ts";

const names = ["vgem", "usbmon", "vfio_pci", "vfio_iommu_type1"];

/** What subjects need that are not in Debian's kernel for virtual machines: the same for all, so that they share a boot. */
export const fullMachine: Pick<SubjectDefinition, "kernel" | "modules" | "devices" | "kernelWords"> = {
  kernel: "full",
  modules(kernel) {
    const files = names.flatMap((name) => stockModules(kernel, name).map(({ file }) => file));
    return [...new Set(files)].map((file) => ({ file }));
  },
  devices: ["-device", "intel-iommu", ...smallCard],
  // The second as for `bar`. With the third the boot does not count ticks of the timer by a busy loop: where QEMU gets little
  // of a CPU there are too few, and under an IOMMU that remaps interrupts the kernel panics.
  kernelWords: ["intel_iommu=on", "nopat", "no_timer_check"],
};
