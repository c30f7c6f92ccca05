import type { LoggedEvent } from "@nopage/core";

/** What happened to areas, entries, TLBs, the gate and the device, in words; undefined for what shows nothing of them. */
export function eventInWords({ name, fields }: LoggedEvent): string | undefined {
  const at = (field: string): string => `0x${(fields[field] ?? 0).toString(16)}`;
  switch (name) {
    case "fault":
      return `fault at ${at("address")}, to ${fields["isWrite"] === 1 ? "write" : "read"}`;
    case "fault-waits":
      return `the fault at ${at("address")} waits`;
    case "pte-set":
      return `the entry of page ${at("vpn")} is set`;
    case "pte-clear":
      return `the entry of page ${at("vpn")} is cleared`;
    case "tlb-flush":
    case "tlb-shootdown":
      return `the TLB of CPU ${fields["cpu"]} is flushed`;
    case "unmap-mapping-range":
      return `all entries of ${fields["areas"]} areas are zapped`;
    case "gate-close":
      return "the gate closes";
    case "gate-open":
      return "the gate opens";
    case "gate-remove":
      return "the device is gone";
    case "area-open":
    case "area-close":
      return `area ${fields["area"]} ${name === "area-open" ? "opens" : "closes"}`;
    case "page-free":
      return `frame ${fields["pfn"]} is freed`;
    case "register-read":
    case "register-write":
      return `the register at ${at("offset")} is ${name === "register-read" ? "read" : "written"}`;
    case "dma-start":
    case "dma-end":
      return `DMA ${name === "dma-start" ? "starts" : "ends"}`;
    case "signal":
      return `a signal at ${at("address")}`;
    case "violation":
      return "a rule is broken";
    default:
      return undefined;
  }
}
