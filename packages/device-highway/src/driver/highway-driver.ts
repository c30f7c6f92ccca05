import type { KernelModule, PciFunction } from "@nopage/core";
import {
  type DriverContext,
  defineDriver,
  ENOMEM,
  isError,
  type Kernel,
  type Sleepable,
} from "@nopage/core/contract";
import type { HighwayCardOptions } from "../card/card-options.ts";
import { plugHighway } from "../card/highway-card.ts";
import { REGION_BYTES } from "../card/measurement-registers.ts";
import { Acquisition } from "./acquisition.ts";
import { DmaControl } from "./dma-control.ts";
import { fileOperations } from "./file-operations.ts";
import { HighwayDevice } from "./highway-device.ts";
import { type HighwayOptions, settleOptions, wantedBacking } from "./highway-options.ts";
import { LoadedHighway } from "./loaded-highway.ts";
import { findHighway, probe } from "./probe.ts";
import { RegionAccess } from "./region-access.ts";
import { Resources } from "./resources.ts";
import { shownKinds, showRegion } from "./shown-memory.ts";
import { TransferWorker } from "./transfer-worker.ts";

export const HIGHWAY_PATH = "/dev/highway0";

/**
 * The driver of the PCI/Highway card. It shows the measurement region through the strategy, and moves samples by DMA
 * into pinned user pages; while DMA runs nobody can touch the region.
 *
 * It drives the first card on the bus; where there is none it plugs one in, and takes it out again at unload.
 */
export const highwayDriver = defineDriver({
  name: "highway",
  supports: { backing: shownKinds, dma: "pinned-user-pages" },
  shows: wantedBacking,

  /**
   * @returns the driver at work; -ENODEV when what is in the slot does not answer as a Highway card, -ENOMEM, -EBUSY when
   *   the name or the interrupt is taken; with nothing left behind
   * @throws RangeError for options that are wrong
   */
  *load(context: DriverContext<HighwayOptions>): Sleepable<LoadedHighway | number> {
    const resources = new Resources();
    const module = context.kernel.devices.loadModule("highway");
    if (typeof module === "number") return module;
    let loaded: LoadedHighway | number | undefined;
    try {
      loaded = yield* attach(context, module, resources);
    } finally {
      if (!(loaded instanceof LoadedHighway)) {
        yield* resources.release();
        module.unload();
      }
    }
    return loaded;
  },
});

function* attach(
  context: DriverContext<HighwayOptions>,
  module: KernelModule,
  resources: Resources,
): Sleepable<LoadedHighway | number> {
  const { kernel, strategy } = context;
  const { card, backing } = settleOptions(context.options, strategy);
  const plugged = findHighway(kernel) ?? plugOwn(kernel, card, resources);
  if (typeof plugged === "number") return plugged;
  const interfaces = yield* probe(kernel, plugged);
  if (isError(interfaces)) return interfaces;
  const shown = showRegion(kernel, plugged.windows[1], interfaces, backing);
  if (shown === undefined) return -ENOMEM;
  resources.push(shown.free);
  yield* shown.refresh();

  // The name comes last, when everything behind it is ready; so the mapping has an inode of its own.
  const mapping = kernel.devices.createInode("highway measurement region")?.mapping;
  if (mapping === undefined) return -ENOMEM;
  const binding = kernel.bind(strategy, {
    name: "highway measurement region",
    memory: shown.memory,
    pages: REGION_BYTES / kernel.geometry.pageSize,
    cache: shown.cache,
    mapping,
  });
  const pinning = kernel.bindPinning(context.pinning);
  resources.push(() => pinning.releaseQuarantine());
  const device = new HighwayDevice({ kernel, plugged, pinning, binding, shown });
  const dma = new DmaControl(device);
  const requested = plugged.interrupt.request("highway", () => dma.handleInterrupt());
  if (requested !== 0) return requested;
  resources.push(() => plugged.interrupt.free());
  const worker = new TransferWorker(device, dma);
  const started = worker.start();
  if (started !== 0) return started;
  resources.push(() => worker.stop());

  const acquisition = new Acquisition(device, dma, interfaces);
  const service = { device, acquisition, dma, region: new RegionAccess(device), interfaces };
  const inode = kernel.devices.register(HIGHWAY_PATH, fileOperations(module, service));
  if (typeof inode === "number") return inode;
  inode.mapping = mapping;
  resources.push(() => kernel.devices.unregister(HIGHWAY_PATH));
  const loaded = new LoadedHighway(HIGHWAY_PATH, module, service, resources);
  const bound = kernel.pci.bindDriver(plugged, { name: "highway", remove: () => loaded.remove() });
  if (bound !== 0) return bound;
  resources.push(() => kernel.pci.unbindDriver(plugged));
  return loaded;
}

function plugOwn(kernel: Kernel, options: HighwayCardOptions, resources: Resources): PciFunction | number {
  const plugged = plugHighway(kernel, options);
  if (typeof plugged === "number") return plugged;
  resources.push(function* () {
    yield* kernel.pci.unplug(plugged);
  });
  return plugged;
}
