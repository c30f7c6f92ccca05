import type { KernelModule } from "@nopage/core";
import {
  type Atomic,
  EBUSY,
  EFAULT,
  ENODEV,
  ENOTTY,
  type FileOperations,
  type OpenFile,
  type Sleepable,
  type UserAddress,
} from "@nopage/core/contract";
import type { Acquisition } from "./acquisition.ts";
import type { DmaControl } from "./dma-control.ts";
import type { HighwayDevice } from "./highway-device.ts";
import {
  encodeStatistics,
  HIGHWAY_ACQUIRE,
  HIGHWAY_REWIND,
  HIGHWAY_START,
  HIGHWAY_STATISTICS,
  HIGHWAY_WAIT,
} from "./ioctl.ts";
import type { RegionAccess } from "./region-access.ts";

/** What stands behind /dev/highway0. */
export interface HighwayService {
  readonly device: HighwayDevice;
  readonly acquisition: Acquisition;
  readonly dma: DmaControl;
  readonly region: RegionAccess;
  readonly interfaces: number;
}

/** The system calls on /dev/highway0. */
export function fileOperations(owner: KernelModule, service: HighwayService): FileOperations {
  const { device, acquisition, region } = service;
  return {
    name: "highway",
    owner,
    *open() {
      return yield* device.lock.withIrqsOff(() => openOnce(device));
    },
    *release() {
      yield* acquisition.stop();
      yield* device.lock.withIrqsOff(() => close(device));
      yield* device.put();
    },
    read: (file, buffer, length) => unlessGone(device, () => region.read(file, buffer, length)),
    write: (file, buffer, length) => unlessGone(device, () => region.write(file, buffer, length)),
    ioctl: (file, command, argument) => unlessGone(device, () => ioctl(service, file, command, argument)),
    mmap: (_file, area) => device.binding.mmap(area),
  };
}

/** Nothing is asked of a card that is gone, not even what could be answered without it: -ENODEV. */
function* unlessGone(device: HighwayDevice, call: () => Sleepable<number>): Sleepable<number> {
  return (yield* device.lock.withIrqsOff(() => isGone(device))) ? -ENODEV : yield* call();
}

/** With the lock held. */
function* isGone(device: HighwayDevice): Atomic<boolean> {
  return device.isGone;
}

/** 0; -EBUSY while somebody has it open or mapped; -ENODEV once the card is gone. With the lock held. */
function* openOnce(device: HighwayDevice): Atomic<number> {
  if (device.isGone) return -ENODEV;
  if (device.isOpen) return -EBUSY;
  device.isOpen = true;
  device.users++;
  return 0;
}

/** With the lock held. */
function* close(device: HighwayDevice): Atomic<void> {
  device.isOpen = false;
  device.last = undefined;
}

function* ioctl(
  { device, acquisition, region, interfaces }: HighwayService,
  file: OpenFile,
  command: number,
  argument: number,
): Sleepable<number> {
  switch (command) {
    case HIGHWAY_START:
    case HIGHWAY_ACQUIRE: {
      const transfer = yield* acquisition.start(file, argument);
      if (typeof transfer === "number") return transfer;
      if (command === HIGHWAY_START || file.blocking === "nonblocking") return 0;
      return yield* acquisition.wait(file, transfer);
    }
    case HIGHWAY_WAIT:
      return yield* acquisition.wait(file, device.last);
    case HIGHWAY_STATISTICS: {
      const bytes = encodeStatistics(device.statistics);
      return (yield* device.kernel.user.copyTo(argument as UserAddress, bytes)) > 0 ? -EFAULT : 0;
    }
    case HIGHWAY_REWIND:
      return yield* region.rewind(file, argument, interfaces);
    default:
      return -ENOTTY;
  }
}
