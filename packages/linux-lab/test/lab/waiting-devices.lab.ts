import { type LawCase, mustBe, mustSucceed, user } from "@nopage/testkit/executor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findKernel, markOf, type SubjectDefinition, whyNoLab } from "../../src/index.ts";
import { Laboratory } from "../../src/run/laboratory.ts";
import { runCaseInLab } from "../../src/run/run-case-in-lab.ts";
import { buildDrivers } from "../../src/subjects/build-drivers.ts";
import { highway } from "../../src/subjects/highway-commands.ts";
import { TwinControl } from "../../src/subjects/twin-node.ts";
import { twins } from "../../src/subjects/twins.ts";

const missing = whyNoLab("cloud", "drivers");

/** The drivers are built once for all tests, on a busy machine in more time than a test has. */
const BUILDING_MS = 300_000;

function buildTwins(): void {
  const kernel = findKernel("cloud");
  if (kernel !== undefined) buildDrivers(kernel);
}

function twinOf(name: string): SubjectDefinition {
  const twin = twins.find((one) => one.name === name);
  if (twin === undefined) throw new Error(`there is no twin ${name}`);
  return twin;
}

/** The device's access waits at the gate of what it follows; meanwhile the device is asked for what it holds. */
const pinned: LawCase = {
  when: "",
  schedule: "sequential",
  about: ["pinning"],
  *program({ subject, pinner }) {
    const { gate } = subject;
    if (gate === undefined || pinner === undefined) throw new Error("it has no gate, or no pinner");
    const address = mustSucceed("mmap", yield* subject.map());
    const held = yield* pinner.pin(address, 1, "read");
    if (typeof held === "number") throw new Error(`pin answers ${held}`);
    yield* gate.close();
    let seen: unknown = "nothing";
    const device = yield* user.thread(function* () {
      seen = yield* pinner.deviceRead(held, 0);
    }, "device");
    yield* user.settle();
    mustBe("the device's access", yield* user.stateOf(device), "blocked");
    mustBe("the pages that it holds", yield* pinner.held(), 1);
    const other = yield* pinner.pin(
      yield* user.mmap({ length: 4096, protection: 3, sharing: "private" }),
      1,
      "read",
    );
    if (typeof other === "number") throw new Error(`another pin answers ${other}`);
    yield* pinner.unpin(other);
    yield* gate.open();
    yield* user.join(device);
    mustBe("what the device was given", seen, markOf(0));
    yield* pinner.unpin(held);
    mustBe("the pages that it holds afterwards", yield* pinner.held(), 0);
  },
};

/** The same of a device that mirrors, which is asked for what it reaches. */
function mirrored(name: string): LawCase {
  const control = new TwinControl(name, "notifier-mirror");
  return {
    ...pinned,
    *program({ subject }) {
      const { gate } = subject;
      if (gate === undefined) throw new Error("it has no gate");
      const address = mustSucceed("mmap", yield* subject.map());
      yield* control.load();
      const followed = yield* control.open();
      yield* user.ioctl(followed, highway.chooseAddress, address);
      mustSucceed("follow", yield* user.ioctl(followed, highway.mirrorFollow, 1));
      yield* gate.close();
      let seen: unknown = "nothing";
      const device = yield* user.thread(function* () {
        seen = yield* control.once(highway.mirrorPopulateRead, address);
      }, "device");
      yield* user.settle();
      mustBe("what the device waits for", yield* user.stateOf(device), "blocked");
      mustBe("what it reaches meanwhile", yield* control.once(highway.mirrorReachesRead, address), 0);
      mustSucceed("unfollow", yield* control.once(highway.mirrorUnfollow));
      yield* gate.open();
      yield* user.join(device);
      mustBe("what the device was given", seen, 0);
    },
  };
}

describe.skipIf(missing !== undefined)(
  `a device that waits for a page fault${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    const laboratory = new Laboratory();
    beforeAll(buildTwins, BUILDING_MS);
    afterAll(() => laboratory.discard());

    it.each([
      ["none-notifier", pinned],
      ["none-interval", pinned],
      ["longterm", mirrored("notifier-mirror")],
      ["longterm", mirrored("interval-mirror")],
    ] as const)("MUST keep nobody else waiting: %s %#", async (name, lawCase) => {
      const { end } = await runCaseInLab(lawCase, twinOf(name), laboratory);
      expect(end).toEqual({ kind: "run", problems: [] });
    });
  },
);
