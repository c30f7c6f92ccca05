import type { AnyLaw } from "../law.ts";
import { orderLaws } from "./order.ts";
import { reachLaws } from "./reach.ts";

/** I. Reverse lookup, zap and the order of TLB flushes. */
export const reverseLookupLaws: readonly AnyLaw[] = [...orderLaws, ...reachLaws];
