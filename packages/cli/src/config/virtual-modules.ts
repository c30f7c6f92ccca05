import * as core from "@nopage/core";
import * as contract from "@nopage/core/contract";
import * as wiring from "@nopage/core/wiring";
import * as deviceHighway from "@nopage/device-highway";
import * as eagerRemap from "@nopage/eager-remap";
import * as lazyNopage from "@nopage/lazy-nopage";
import * as linuxLab from "@nopage/linux-lab";
import * as notifierMirror from "@nopage/notifier-mirror";
import * as pageLookup from "@nopage/page-lookup";
import * as pfnNopage from "@nopage/pfn-nopage";
import * as pinning from "@nopage/pinning";
import * as nopage from "../index.ts";

/** The modules that configuration files and plugins get from this process and never from their own folder. */
export const virtualModules: Readonly<Record<string, object>> = {
  nopage,
  "@nopage/core": core,
  "@nopage/core/contract": contract,
  "@nopage/core/wiring": wiring,
  "@nopage/device-highway": deviceHighway,
  "@nopage/eager-remap": eagerRemap,
  "@nopage/lazy-nopage": lazyNopage,
  "@nopage/linux-lab": linuxLab,
  "@nopage/notifier-mirror": notifierMirror,
  "@nopage/page-lookup": pageLookup,
  "@nopage/pfn-nopage": pfnNopage,
  "@nopage/pinning": pinning,
};
