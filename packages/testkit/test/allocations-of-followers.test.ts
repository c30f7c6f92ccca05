import { ENOMEM, owners } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { mapAnonymous } from "./support/counted-device.ts";
import { expectAnswer, tried } from "./support/refused-allocations.ts";

describe("pinning with each of its allocations refused", () => {
  it.each(["pin", "reference"] as const)(
    "by %s: MUST be ENOMEM, or fewer pages than asked for (GP-08)",
    (hold) => {
      const { answers } = tried("getUserPages", function* ({ world, thread, inject, refused }) {
        const memory = yield* mapAnonymous(thread, 3);
        const { user } = world.kernel;
        const request = { access: "write", hold, permission: "checked" } as const;
        const pages = yield* inject(() => user.getPages(thread.mm, memory as never, 3, request));
        const got = typeof pages === "number" ? pages : pages.length;
        if (refused() === undefined) expect(got).toBe(3);
        else expect([-ENOMEM, 1, 2]).toContain(got);
        if (typeof pages !== "number")
          for (const page of pages) yield* user.releasePage(thread.mm, page, hold, "clean");
        yield* thread.munmap(memory, 3 * world.page);
        return got;
      });
      expect(answers).toEqual(expect.arrayContaining([-ENOMEM, 1, 2]));
    },
  );
});

describe("followers with each of their allocations refused", () => {
  it("registering MUST be ENOMEM, and nobody told of anything", () => {
    const { answers, sites } = tried("registering", function* ({ world, thread, inject, refused }) {
      const { mappings } = world.kernel;
      let told = 0;
      const notifier = { name: "follower", release: () => void told++ };
      const result = yield* inject(() => mappings.registerNotifier(thread.mm, notifier));
      expectAnswer(result, refused());
      if (result === 0) yield* mappings.unregisterNotifier(thread.mm, notifier);
      expect(told).toBe(result === 0 ? 1 : 0);
      return result;
    });
    expect({ answers, sites }).toEqual({ answers: [-ENOMEM], sites: ["mmu_notifier_register"] });
  });

  it("inserting an interval MUST be ENOMEM", () => {
    const { answers } = tried("an interval", function* ({ world, thread, inject, refused }) {
      const follower = { name: "follower", invalidate: () => true };
      const { mappings } = world.kernel;
      const result = yield* inject(() =>
        mappings.insertInterval(thread.mm, 0 as never, world.page as never, follower),
      );
      expectAnswer(typeof result === "number" ? result : 0, refused());
      if (typeof result !== "number") yield* result.remove();
      return typeof result === "number" ? result : 0;
    });
    expect(answers).toEqual([-ENOMEM]);
  });

  it("a ghost MUST be ENOMEM and keep nothing", () => {
    tried("sharing with a ghost", function* ({ world, inject }) {
      const { ghosts, user } = world.kernel;
      const { memory } = world.machine;
      const page = memory.pages.allocZeroedPage(owners.driver)!;
      const result = yield* inject(function* () {
        const ghost = ghosts.create("ghost");
        if (ghost === undefined) return -ENOMEM;
        const address = yield* ghosts.share(ghost, [page]);
        yield* user.drop(ghost);
        return Math.min(address, 0);
      });
      expect(memory.frames.refcount[page]).toBe(1);
      memory.frames.put(page);
      return result;
    });
  });
});
