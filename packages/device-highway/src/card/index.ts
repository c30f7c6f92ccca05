export { type HighwayCardOptions, type HighwayCardSettings, settleCard } from "./card-options.ts";
export * from "./edu-registers.ts";
export {
  HIGHWAY_DEVICE_ID,
  HIGHWAY_VENDOR_ID,
  HighwayCard,
  highwayIn,
  plugHighway,
} from "./highway-card.ts";
export type { Recording } from "./measurement-interface.ts";
export * from "./measurement-registers.ts";
export type { HardwareBreach, HardwareRule } from "./rule-book.ts";
