import {
  definePinningPolicy,
  type MappingStrategy,
  type Pinned,
  type PinningPolicy,
  type Sleepable,
} from "@nopage/core";
import { compose, PluginRegistry } from "@nopage/core/wiring";
import { lazyNopage } from "@nopage/lazy-nopage";
import { noneInterval, noneNotifier } from "@nopage/notifier-mirror";
import { ghostMm, longterm, quarantine, refcount, reserved } from "@nopage/pinning";
import { type BuildWorld, highwayDriver, type RuleSet } from "../../src/index.ts";

/** Holds nothing, and claims that it does: what the scenario is for. */
export const holdsNothing: PinningPolicy = definePinningPolicy({
  name: "holds-nothing",
  supports: { ...refcount.supports, survives: ["munmap", "fork", "exit"], coherentAfterFork: true },
  create: (kernel) => ({
    *pin(mm, start, pages, access): Sleepable<Pinned | number> {
      const request = { access: "write", hold: "reference", permission: "checked" } as const;
      const found = yield* kernel.user.getPages(mm, start, pages, request);
      if (typeof found === "number") return found;
      for (const page of found) yield* kernel.user.releasePage(mm, page, "reference", "clean");
      return { mm, start, pages: found, access };
    },
    unpin: () => undefined,
  }),
});

export const policies: readonly PinningPolicy[] = [
  refcount,
  longterm,
  ghostMm,
  reserved,
  quarantine,
  noneNotifier,
  noneInterval,
];

/** Worlds with the Highway driver, bursts of a quarter of a page, and little memory, so that freed frames are soon reused. */
export function killWorlds(
  policy: PinningPolicy,
  rules: RuleSet,
  strategy: MappingStrategy = lazyNopage,
): BuildWorld {
  const registry = new PluginRegistry();
  for (const plugin of [policy, strategy, highwayDriver]) registry.register(plugin, "the tests");
  return (chooser) =>
    compose(
      {
        strategy: strategy.name,
        pinning: policy.name,
        device: { name: "highway", options: { burstBytes: 1024, burstNs: 1900 } },
        machine: { ramPages: 128, reservedPages: rules, chooser },
      },
      registry,
    );
}
