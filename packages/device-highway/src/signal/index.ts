export { type BuiltInSignal, builtInSignals, defaultSignalName } from "./built-in-signals.ts";
export { type ChannelScale, restoreValue } from "./channel-scale.ts";
export { loadSignal } from "./load-signal.ts";
export { readCsv } from "./read-csv.ts";
export { readWav } from "./read-wav.ts";
export type { Signal } from "./signal.ts";
export { type SignalComplaint, SignalError, type SignalProblem } from "./signal-error.ts";
export type { SignalIdentity } from "./signal-identity.ts";
