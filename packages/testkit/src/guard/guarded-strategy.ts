import type {
  Area,
  Backing,
  Fault,
  Machine,
  MappingStrategy,
  MaySleep,
  Point,
  Sleep,
  StrategyHooks,
  VmOps,
} from "@nopage/core";
import {
  areaAsHanded,
  backingsAsHanded,
  faultAsHanded,
  freezeClaims,
  type Handed,
  together,
} from "./handed.ts";
import { HookGuard } from "./hook-guard.ts";
import { checkFunctions, hooksOf } from "./hooks-of.ts";
import { inPlace } from "./in-place.ts";

const hookNames = [
  "open",
  "close",
  "nopage",
  "nopagePfn",
  "mkwrite",
  "maySplit",
  "mremap",
  "mprotect",
  "access",
] as const satisfies readonly (keyof VmOps)[];

/** The same strategy with every call of its hooks looked at. */
export function guardedStrategy(strategy: MappingStrategy, machine: Machine): MappingStrategy {
  freezeClaims(strategy.supports);
  const guard = new HookGuard(strategy.name, machine);
  const known = new WeakSet<VmOps>();
  const backings = new Set<Backing>();
  const shown = backingsAsHanded(backings);
  return {
    name: strategy.name,
    supports: strategy.supports,
    create(kernel): StrategyHooks {
      const hooks = hooksOf(guard, () => strategy.create(kernel), ["mmap"], ["revoke", "restore"]);
      const { revoke, restore } = hooks;
      return {
        mmap(area, backing) {
          backings.add(backing);
          const called = guard.call(
            "mmap",
            together(areaAsHanded(area), shown),
            (): MaySleep<VmOps | number> => hooks.mmap(area, backing),
          );
          return withGuardedOps(called, (ops) => guardedOps(ops, guard, known, shown));
        },
        ...(revoke !== undefined && {
          revoke: (backing) => {
            backings.add(backing);
            return guard.call("revoke", shown, () => revoke.call(hooks, backing));
          },
        }),
        ...(restore !== undefined && {
          restore: (backing) => {
            backings.add(backing);
            return guard.call("restore", shown, () => restore.call(hooks, backing));
          },
        }),
      };
    },
  };
}

function* withGuardedOps(
  called: MaySleep<VmOps | number>,
  guarded: (ops: VmOps) => VmOps,
): Generator<Point | Sleep, VmOps | number, void> {
  const answer = isSteps(called) ? yield* called : called;
  // What is no object at all the kernel tells itself.
  return typeof answer === "object" && answer !== null ? guarded(answer) : answer;
}

function isSteps<T>(answer: MaySleep<T>): answer is Exclude<MaySleep<T>, T> {
  return typeof answer === "object" && answer !== null && Symbol.iterator in answer;
}

/** The operations with every hook guarded; the very same object where it can be changed, by which areas may be known. */
function guardedOps(ops: VmOps, guard: HookGuard, known: WeakSet<VmOps>, shown: Handed): VmOps {
  if (known.has(ops)) return ops;
  checkFunctions(guard, "mmap", ops, [], hookNames);
  if (typeof ops.name !== "string") throw guard.breach("mmap", "answered operations without a name");
  const guarded = inPlace(ops, guardedHooks(ops, guard, shown));
  known.add(guarded);
  return guarded;
}

function guardedHooks(ops: VmOps, guard: HookGuard, shown: Handed): VmOps {
  const { name, open, close, nopage, nopagePfn, mkwrite, maySplit, mremap, mprotect, access } = ops;
  const asked = (fault: Fault): Handed => together(faultAsHanded(fault), shown);
  const told = (area: Area): Handed => together(areaAsHanded(area), shown);
  const hooks: VmOps = { name };
  if (open !== undefined) hooks.open = (area) => guard.call("open", told(area), () => open.call(ops, area));
  if (close !== undefined) {
    hooks.close = (area) => guard.call("close", told(area), () => close.call(ops, area));
  }
  if (nopage !== undefined) {
    hooks.nopage = (fault) => guard.call("nopage", asked(fault), () => nopage.call(ops, fault));
  }
  if (nopagePfn !== undefined) {
    hooks.nopagePfn = (fault) => guard.call("nopagePfn", asked(fault), () => nopagePfn.call(ops, fault));
  }
  if (mkwrite !== undefined) {
    hooks.mkwrite = (fault) => guard.call("mkwrite", asked(fault), () => mkwrite.call(ops, fault));
  }
  if (maySplit !== undefined) {
    hooks.maySplit = (area, address) =>
      guard.call("maySplit", told(area), () => maySplit.call(ops, area, address));
  }
  if (mremap !== undefined) {
    hooks.mremap = (area) => guard.call("mremap", told(area), () => mremap.call(ops, area));
  }
  if (mprotect !== undefined) {
    hooks.mprotect = (area, start, end, flags) =>
      guard.call("mprotect", told(area), () => mprotect.call(ops, area, start, end, flags));
  }
  if (access !== undefined) {
    hooks.access = (area, address, buffer, direction) =>
      guard.call("access", told(area), () => access.call(ops, area, address, buffer, direction));
  }
  return hooks;
}
