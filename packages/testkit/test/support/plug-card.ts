import type { Machine, PciFunction, PciFunctionShape } from "@nopage/core";

/** A card without registers. */
const shape: PciFunctionShape = {
  name: "card",
  vendorId: 1,
  deviceId: 1,
  bars: [],
  interrupts: "message",
  dmaBits: 32,
};

/** Plugs a card in. */
export function plugCard({ pci }: Machine): PciFunction {
  const plugged = pci.plug(shape);
  if (typeof plugged === "number") throw new Error(`plug answered ${plugged}`);
  return plugged;
}
