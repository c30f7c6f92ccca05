/** What a plugin author reads: the contract's types, with the few constants and checks that belong to them. */
export * from "./area.ts";
export * from "./area-flags.ts";
export * from "./backing.ts";
export * from "./contract-violation.ts";
export * from "./device-driver.ts";
export * from "./errno.ts";
export * from "./execution.ts";
export * from "./file.ts";
export * from "./gate.ts";
export * from "./kernel.ts";
export * from "./mmu-notifier.ts";
export * from "./outcome.ts";
export * from "./pinning-policy.ts";
export * from "./signals.ts";
export * from "./strategy.ts";
export * from "./units.ts";
export * from "./vm-ops.ts";
