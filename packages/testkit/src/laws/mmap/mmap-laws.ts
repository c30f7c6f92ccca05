import type { AnyLaw } from "../law.ts";
import { adviceLaws } from "./advice.ts";
import { argumentLaws } from "./arguments.ts";
import { hookLaws } from "./hook.ts";
import { placementLaws } from "./placement.ts";
import { populatingLaws } from "./populating.ts";

/** A. The arguments of mmap and of the calls about what it maps, and the driver's mmap hook. */
export const mmapLaws: readonly AnyLaw[] = [
  ...argumentLaws,
  ...hookLaws,
  ...placementLaws,
  ...populatingLaws,
  ...adviceLaws,
].toSorted((one, other) => one.id.localeCompare(other.id));
