import {
  type Area,
  type Backing,
  defineStrategy,
  type Kernel,
  type MappingStrategy,
  type MaySleep,
  type StrategySupports,
  type VmOps,
} from "@nopage/core";
import { finished } from "#src/model/finished";

/** Where an altered hook runs. */
export interface Place {
  readonly kernel: Kernel;
  readonly area: Area;
  readonly backing: Backing;
}

/** What is done otherwise than by the strategy that is altered; all else stays. */
export interface Alteration {
  /** In place of the mmap hook; `asked` is the answer of the right one, once it is called. */
  mmap?(place: Place, asked: () => MaySleep<VmOps | number>): MaySleep<VmOps | number>;
  /** Operations that replace or add to the right ones. */
  ops?(right: VmOps, place: Place): Partial<VmOps>;
  revoke?(backing: Backing, kernel: Kernel): MaySleep<void>;
  restore?(backing: Backing, kernel: Kernel): MaySleep<void>;
}

/**
 * A strategy that differs from another by one mistake.
 *
 * @param alter called once a device, so that what the mistake has to remember can be kept in its closure
 */
export function altered(
  base: MappingStrategy,
  name: string,
  alter: (kernel: Kernel) => Alteration,
  claims: Partial<StrategySupports> = {},
): MappingStrategy {
  return defineStrategy({
    name: `${base.name}: ${name}`,
    supports: { ...base.supports, ...claims },
    create(kernel) {
      const right = base.create(kernel);
      const { mmap, ops, revoke, restore } = alter(kernel);
      return {
        *mmap(area, backing) {
          const place = { kernel, area, backing };
          const asked = () => right.mmap(area, backing);
          const answer = yield* finished(mmap === undefined ? asked() : mmap(place, asked));
          if (ops === undefined || typeof answer === "number") return answer;
          return { ...answer, ...ops(answer, place) };
        },
        ...(right.revoke !== undefined && { revoke: right.revoke }),
        ...(right.restore !== undefined && { restore: right.restore }),
        ...(revoke !== undefined && { revoke: (backing: Backing) => revoke(backing, kernel) }),
        ...(restore !== undefined && { restore: (backing: Backing) => restore(backing, kernel) }),
      };
    },
  });
}
