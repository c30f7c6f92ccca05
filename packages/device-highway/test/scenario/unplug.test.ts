import type { MappingStrategy } from "@nopage/core";
import { lazyNopage } from "@nopage/lazy-nopage";
import { pageLookup } from "@nopage/page-lookup";
import { refcount } from "@nopage/pinning";
import { describe, expect, it } from "vitest";
import { runsOf } from "../../../../tools/exploration.ts";
import {
  type BuildWorld,
  highwayOf,
  killPlans,
  unplugAtEveryTime,
  wrongAfterUnplug,
} from "../../src/index.ts";
import { killWorlds, policies } from "../support/kill-worlds.ts";
import { surveyUnplugs } from "../support/unplug-survey.ts";
import { strategies } from "../support/worlds.ts";

const simple = killPlans.filter(({ meanwhile }) => meanwhile.length === 0);
const crowded = killPlans.filter(({ threads, meanwhile }) => threads === "multi" && meanwhile.length === 3);

/**
 * Every policy with one strategy while everything goes on that may, and every strategy with one policy: the deep project
 * carries out every plan on the cross product.
 */
const pairs = [
  ...policies.map((policy) => [policy.name, lazyNopage.name, policy, lazyNopage, crowded] as const),
  ...strategies.map((strategy) => [refcount.name, strategy.name, refcount, strategy, simple] as const),
];

describe("a card that is pulled out at every moment of a transfer", () => {
  it.each(pairs)(
    "%s with %s: threads MUST wake, the transfer end in ENODEV, touches in SIGBUS, and nothing leak (MO-04)",
    (_policy, _strategy, policy, strategy, plans) => {
      const survey = surveyUnplugs(policy, strategy, plans.slice(0, runsOf(plans.length)), {
        killedAfter: [-50],
        schedules: runsOf(2),
      });
      expect(survey.wrong).toEqual([]);
      expect(survey.amidTransfer).toBeGreaterThan(50);
      expect(survey.kills).toBeGreaterThan(25);
      expect(survey.sigbus).toBeGreaterThan(25);
    },
  );
});

describe("a driver that gets a surprise removal wrong", () => {
  const plan = { threads: "multi", meanwhile: [] } as const;

  /** Worlds whose driver does something else when its card is gone. */
  function withRemove(remove: (world: ReturnType<BuildWorld>) => Generator<never, void, void>): BuildWorld {
    const build = killWorlds(refcount, "6.1");
    return (chooser) => {
      const world = build(chooser);
      const { slot } = highwayOf(world);
      const { pci } = world.machine;
      world.machine.sched.spawn({ name: "rebind", kind: "kernel", cpu: 0 }, pci.unbindDriver(slot));
      world.run();
      pci.bindDriver(slot, { name: "wrong", remove: () => remove(world) });
      return world;
    };
  }

  /** What the scenario says about it, over all moments. */
  function wrongWith(build: BuildWorld): readonly string[] {
    const wrong = new Set<string>();
    for (const { outcome } of unplugAtEveryTime(build, plan)) {
      for (const what of wrongAfterUnplug(refcount.supports, "6.1", [], outcome)) wrong.add(what);
    }
    return [...wrong];
  }

  it("forgetting about it altogether MUST be caught: whoever waits does so for ever", () => {
    const wrong = wrongWith(withRemove(function* () {}));
    expect(wrong).toEqual(expect.arrayContaining([expect.stringMatching(/^never ended: .*victim/)]));
  });

  it("with a strategy that takes nothing away MUST be caught: the mapping of a card that is gone answers", () => {
    const keeping: MappingStrategy = {
      ...pageLookup,
      name: "keeping",
      create: (kernel) => ({ ...pageLookup.create(kernel), revoke: () => undefined }),
    };
    expect(wrongWith(killWorlds(refcount, "6.1", keeping))).toContain("a later touch met a value");
  });

  it("revoking the mapping and forgetting the transfer MUST be caught", () => {
    const wrong = wrongWith(
      withRemove(function* (world) {
        yield* highwayOf(world).binding.remove() as Generator<never, void, void>;
      }),
    );
    expect(wrong).toEqual(expect.arrayContaining([expect.stringMatching(/^never ended: .*victim/)]));
  });

  it("is not what the real driver does", () => {
    expect(wrongWith(killWorlds(refcount, "6.1"))).toEqual([]);
  });
});
