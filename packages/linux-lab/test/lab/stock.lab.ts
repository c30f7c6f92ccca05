import { afterAll, describe, expect, it } from "vitest";
import { type Pinner, type SubjectDefinition, whyNoLab } from "../../src/index.ts";
import { Laboratory } from "../../src/run/laboratory.ts";
import { labResultsIn } from "../../src/run/run-lab.ts";
import { bar } from "../../src/subjects/bar.ts";
import { packetRing } from "../../src/subjects/packet-ring.ts";
import { perfBuffer } from "../../src/subjects/perf-buffer.ts";
import { uring } from "../../src/subjects/uring.ts";
import { uringBuffers } from "../../src/subjects/uring-buffers.ts";
import { usbmon } from "../../src/subjects/usbmon.ts";
import { vfio } from "../../src/subjects/vfio.ts";
import { vgem } from "../../src/subjects/vgem.ts";

/** How laws stand on a device: those that hold, those that it breaks for a reason that is known, and no others. */
interface Standing {
  readonly subject: SubjectDefinition;
  readonly holds: readonly string[];
  readonly explained: readonly string[];
}

const standings: readonly Standing[] = [
  // Eager pages: nothing brings back what has gone.
  { subject: packetRing, holds: ["RE-10", "LC-16", "FR-14", "PF-09", "AT-03"], explained: [] },
  { subject: perfBuffer, holds: ["FR-01", "FR-12"], explained: ["LC-10"] },
  { subject: uring, holds: ["FR-14", "LK-02"], explained: ["MM-07"] },
  // Whatever it is for, a buffer is pinned for writing.
  {
    subject: uringBuffers,
    holds: ["GP-01", "GP-02", "GP-03", "GP-04", "GP-08", "RC-08"],
    explained: ["GP-06"],
  },
  // The mappings of a function that was pulled out stay.
  { subject: bar, holds: ["RE-01", "RE-07", "MM-07"], explained: ["MO-04"] },
  // The pages of a piece that was cut off are counted from its own beginning.
  { subject: vgem, holds: ["PF-01", "PF-04"], explained: ["LC-10"] },
  // A forked child goes on while the memory is switched off.
  { subject: vfio, holds: ["QU-03", "LC-10", "LC-02"], explained: ["QU-01"] },
  { subject: usbmon, holds: ["MO-01"], explained: ["MM-07"] },
];

const laboratory = new Laboratory();
afterAll(() => laboratory.discard());

describe.each(standings)("$subject.name", ({ subject, holds, explained }) => {
  const missing = whyNoLab(subject.kernel);

  it.skipIf(missing !== undefined)(
    `MUST keep the laws that it is an example of, and break those that it is known to break${missing === undefined ? "" : ` (${missing})`}`,
    async () => {
      const laws = [...holds, ...explained];
      const seen = [];
      for await (const { law, status, reason, stale } of labResultsIn(laboratory, [subject], {
        laws,
        racyRuns: 1,
      })) {
        expect({ law, stale }).toEqual({ law, stale: [] });
        seen.push({ law, status, ...(status === "broken" && { reason }) });
      }
      const wanted = [
        ...holds.map((law) => ({ law, status: "holds" })),
        ...explained.map((law) => ({ law, status: "explained" })),
      ];
      expect(seen).toEqual(expect.arrayContaining(wanted));
      expect(seen).toHaveLength(wanted.length);
    },
  );
});

describe("uring-buffers", () => {
  const missing = whyNoLab(uringBuffers.kernel);
  const lies: Readonly<Record<string, Partial<Pinner["supports"]>>> = {
    "GP-01": { charged: false },
    "GP-02": { holds: "nothing" },
    "GP-03": { onDeath: "quarantined" },
    "GP-05": { coherentAfterFork: false },
  };

  it.skipIf(missing !== undefined).each(Object.entries(lies))(
    `MUST be seen to break %s when it claims %o${missing === undefined ? "" : ` (${missing})`}`,
    async (law, lie) => {
      const liar: SubjectDefinition = {
        ...uringBuffers,
        name: `liar about ${law}`,
        *setUp() {
          const abilities = yield* uringBuffers.setUp();
          const { pinner } = abilities;
          if (pinner === undefined) throw new Error("it has no pinner");
          return { ...abilities, pinner: { ...pinner, supports: { ...pinner.supports, ...lie } } };
        },
      };
      for await (const { status } of labResultsIn(laboratory, [liar], { laws: [law], racyRuns: 1 })) {
        expect(status).toBe("broken");
      }
      expect.assertions(1);
    },
  );
});
