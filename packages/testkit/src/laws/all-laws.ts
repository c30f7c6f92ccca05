import { atomicLaws } from "./atomic-context.ts";
import { bareFrameLaws } from "./bare-frames/bare-frame-laws.ts";
import { eagerLaws } from "./eager/eager-laws.ts";
import { faultLaws } from "./faults/fault-laws.ts";
import type { AnyLaw } from "./law.ts";
import { lifecycleLaws } from "./lifecycle/lifecycle-laws.ts";
import { lookUpLaws } from "./look-up.ts";
import { mmapLaws } from "./mmap/mmap-laws.ts";
import { moduleLaws } from "./modules.ts";
import { notifierLaws } from "./notifiers/notifier-laws.ts";
import { permissionLaws } from "./permissions/permission-laws.ts";
import { pinLaws } from "./pins/pin-laws.ts";
import { quiesceLaws } from "./quiesce/quiesce-laws.ts";
import { referenceLaws } from "./references/reference-laws.ts";
import { reservedLaws } from "./reserved.ts";
import { reverseLookupLaws } from "./reverse-lookup/reverse-lookup-laws.ts";
import { truncationLaws } from "./truncation.ts";

/** Every law, family by family. */
export const allLaws: readonly AnyLaw[] = [
  ...mmapLaws,
  ...lifecycleLaws,
  ...faultLaws,
  ...eagerLaws,
  ...bareFrameLaws,
  ...lookUpLaws,
  ...referenceLaws,
  ...reservedLaws,
  ...reverseLookupLaws,
  ...quiesceLaws,
  ...notifierLaws,
  ...atomicLaws,
  ...pinLaws,
  ...moduleLaws,
  ...permissionLaws,
  ...truncationLaws,
];
