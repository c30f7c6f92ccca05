/** The Highway acquisition card, its driver, its acquisition program, and the signals that it acquires. */
export * from "./acquire/index.ts";
export * from "./card/index.ts";
export * from "./driver/index.ts";
export * from "./scenario/index.ts";
export * from "./signal/index.ts";
