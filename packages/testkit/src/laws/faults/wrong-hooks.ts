import {
  EINVAL,
  InvariantBroken,
  invariant,
  type MappingStrategy,
  type Sleepable,
  type StrategyHooks,
  type UserAddress,
  type VmOps,
} from "@nopage/core";
import { must, mustBe, SIGBUS } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import { createTestDevice, type TestDevice } from "../../test-device.ts";
import type { AnyLaw } from "../law.ts";
import { ownDevice } from "../support/own-device.ts";
import { reports } from "../support/reports.ts";

/** An errno without a name in the contract (`EPROTO`). */
const EPROTO = 71;

/** What becomes of hooks that answer a number to the kernel, or nothing, when they do not do as they should. */
export const hookLaws: readonly AnyLaw[] = [
  {
    id: "FR-17",
    level: "model-only",
    owner: ["core"],
    rule: "a hook that throws, or answers neither 0 nor a negated errno, MUST be reported under its plugin's name and its own and counts as -EINVAL; a negated errno MUST reach the caller whatever its number; a mistake of the kernel's own MUST NOT be put down to the plugin",
    source:
      "mm/mmap.c mmap_region, __split_vma (6.1) pass a hook's number on unread: a positive one would be taken for an address (include/linux/err.h IS_ERR_VALUE)",
    cases: [
      {
        when: "a veto of every kind",
        schedule: "sequential",
        kinds: "one",
        provokes: "contract",
        *program() {
          let answer: () => unknown = () => -EPROTO;
          const device = yield* ownDevice({ ops: () => ({ maySplit: () => answer() as number }) });
          const { address } = yield* device.mapped();
          const { pageSize } = device.machine.geometry;
          const cut = () => user.munmap(address + pageSize, pageSize);
          mustBe("munmap that the hook refuses with an unusual errno", yield* cut(), -EPROTO);
          mustBe("what is reported of a right answer", yield* reports(), []);
          for (const [wrong, said] of [
            [() => 1, "answered 1 instead of 0 or a negated errno"],
            [() => -4096, "answered -4096 instead of 0 or a negated errno"],
            [() => 0.5, "answered 0.5 instead of 0 or a negated errno"],
            [() => "no", "answered no instead of 0 or a negated errno"],
            [() => Number.NaN, "answered NaN instead of 0 or a negated errno"],
            [fail("not today"), "threw Error: not today"],
          ] as const) {
            answer = wrong;
            mustBe(`munmap for which the hook ${said}`, yield* cut(), -EINVAL);
            mustBe("what is reported", (yield* reports()).at(-1), `own device: maySplit ${said}`);
          }
          answer = () => undefined;
          mustBe("munmap for which the hook answers nothing", yield* cut(), 0);
          mustBe("how often hooks were reported", (yield* reports()).length, 6);
          yield* user.munmap(address, 4 * pageSize);
          yield* device.release();
        },
      },
      {
        when: "open and close that throw",
        schedule: "sequential",
        kinds: "one",
        provokes: "contract",
        *program() {
          const device = yield* ownDevice({
            ops: () => ({ open: fail("no more"), close: fail("not yet") }),
          });
          const { address } = yield* device.mapped();
          const { pageSize } = device.machine.geometry;
          mustBe("munmap of a middle page", yield* user.munmap(address + pageSize, pageSize), 0);
          mustBe("munmap of the rest", yield* user.munmap(address, 4 * pageSize), 0);
          const [opened, closed] = ["open threw Error: no more", "close threw Error: not yet"];
          const expected = [opened, opened, closed, closed, closed].map((said) => `own device: ${said}`);
          mustBe("what is reported", [...(yield* reports())].sort(), expected.sort());
          yield* device.release();
        },
      },
      {
        when: "a strategy whose mmap answers nonsense",
        schedule: "sequential",
        kinds: "one",
        provokes: "contract",
        *program({ subject: { pageSize } }) {
          let answer: unknown;
          const device = yield* bound(() => ({ mmap: () => answer as VmOps }));
          for (const [wrong, said] of [
            [7, "answered 7, which is no negated errno"],
            [null, "answered null instead of operations"],
          ] as const) {
            answer = wrong;
            mustBe(`mmap for which the hook ${said}`, yield* map(device, pageSize), -EINVAL);
            mustBe("what is reported", (yield* reports()).at(-1), `of the law: mmap ${said}`);
          }
        },
      },
      {
        when: "a mistake of the kernel's own",
        schedule: "sequential",
        kinds: "one",
        *program() {
          const device = yield* bound(() => ({
            mmap: () => -EINVAL,
            restore: () => invariant(false, "two and two make four"),
          }));
          const thrown = yield* user.kernel(function* (): Sleepable<unknown> {
            yield* device.binding.quiesce();
            try {
              yield* device.binding.resume();
            } catch (cause) {
              return cause;
            }
            return undefined;
          });
          must(thrown instanceof InvariantBroken, `what comes out of the hook is ${String(thrown)}`);
          mustBe("what is reported of the plugin", yield* reports(), []);
        },
      },
      {
        when: "a machine that nobody watches",
        schedule: "sequential",
        kinds: "one",
        machine: { sanitizers: "cheap" },
        provokes: "contract",
        *program() {
          const device = yield* ownDevice({
            ops: () => ({ maySplit: fail("not today"), nopage: fail("out of order") }),
          });
          const { address } = yield* device.mapped();
          const { pageSize } = device.machine.geometry;
          mustBe("munmap of one page", yield* user.munmap(address, pageSize), -EINVAL);
          mustBe("a load", yield* user.load(address), SIGBUS);
          const expected = ["maySplit threw Error: not today", "nopage threw Error: out of order"];
          mustBe(
            "what is reported",
            yield* reports(),
            expected.map((said) => `own device: ${said}`),
          );
          yield* device.release();
        },
      },
    ],
  },
];

function fail(what: string): () => never {
  return () => {
    throw new Error(what);
  };
}

/** A device that shows one page of no memory through a strategy that is the law's own. */
function bound(create: () => StrategyHooks): ReturnType<typeof user.kernel<TestDevice>> {
  const strategy: MappingStrategy = {
    name: "of the law",
    supports: {
      populate: "eager",
      backing: ["pfn-run"],
      whileRevoked: "sigbus",
      mremapGrow: false,
      holes: false,
      largeLeaves: false,
      countsPages: [],
      privateWritable: [],
    },
    create,
  };
  return user.kernel(function* ({ machine, kernel }) {
    const memory = { kind: "pfn-run", pfn: 0 } as const;
    return createTestDevice(machine, kernel, strategy, {
      path: "/dev/of-the-law",
      memory: memory as never,
      pages: 1,
    });
  });
}

function* map({ path }: TestDevice, length: number): ReturnType<typeof user.mmap> {
  const descriptor = yield* user.open({ path, mode: "read-write", blocking: "blocking" });
  const address = yield* user.mmap({ length, protection: 1, sharing: "shared", descriptor });
  yield* user.close(descriptor);
  return address as UserAddress;
}
