import { ENOENT } from "@nopage/core";
import { lazyNopage } from "@nopage/lazy-nopage";
import { describe, expect, test } from "vitest";
import { contendersOf } from "#src/model/contender";
import { ModelWorld } from "#src/model/model-world";
import { user } from "#src/program/user";

/** What opening a subject answers after something was done to it. */
function openedAfter(what: "unload" | "remove"): number | undefined {
  const [on] = contendersOf(lazyNopage);
  if (on === undefined) throw new Error("there is nothing to try");
  const world = new ModelWorld(on, {});
  let opened: number | undefined;
  const { problems } = world.run({
    when: "",
    schedule: "sequential",
    *program({ subject }) {
      if (what === "remove") yield* subject.remove?.() ?? user.sleep(0);
      else yield* user.deleteModule(subject.module ?? "");
      opened = yield* subject.open();
    },
  });
  expect(problems).toEqual([]);
  return opened;
}

describe("the node of a subject", () => {
  // As the Linux lab has seen it: the node goes with its device and with its driver.
  test.each(["unload", "remove"] as const)("MUST be gone after %s", (what) => {
    expect(openedAfter(what)).toBe(-ENOENT);
  });
});
