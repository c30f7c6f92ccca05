import type { PciFunction } from "@nopage/core";
import { type Atomic, ENODEV, type Kernel } from "@nopage/core/contract";
import { EDU_IDENTIFICATION, edu } from "../card/edu-registers.ts";
import { HIGHWAY_DEVICE_ID, HIGHWAY_VENDOR_ID } from "../card/highway-card.ts";
import { REGION_MAGIC, region } from "../card/measurement-registers.ts";

const PROBE_PATTERN = 0x5a5a_0ff0;

/** The first function on the bus with the card's ids and two BARs; a plain `edu` has one. */
export function findHighway(kernel: Kernel): PciFunction | undefined {
  return kernel.pci
    .functions()
    .find(
      ({ shape }) =>
        shape.vendorId === HIGHWAY_VENDOR_ID &&
        shape.deviceId === HIGHWAY_DEVICE_ID &&
        shape.bars.length >= 2,
    );
}

/** Asks the card who it is and whether it is alive: its measurement interfaces, or -ENODEV. */
export function* probe(kernel: Kernel, { windows }: PciFunction): Atomic<number> {
  const { mmio } = kernel;
  const [registers, measurements] = windows;
  const identification = yield* mmio.read(registers, edu.identification, 4);
  // The upper half is the version.
  if ((identification & 0xffff) !== (EDU_IDENTIFICATION & 0xffff)) return -ENODEV;
  yield* mmio.write(registers, edu.liveness, 4, PROBE_PATTERN);
  if ((yield* mmio.read(registers, edu.liveness, 4)) !== ~PROBE_PATTERN >>> 0) return -ENODEV;
  if ((yield* mmio.read(measurements, region.magic, 4)) !== REGION_MAGIC) return -ENODEV;
  return yield* mmio.read(measurements, region.interfaces, 4);
}
