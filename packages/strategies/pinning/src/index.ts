// The public face of @nopage/pinning is exported from here: one policy a file.
export { ghostMm } from "./ghost-mm.ts";
export { longterm } from "./longterm.ts";
export { quarantine } from "./quarantine.ts";
export { refcount } from "./refcount.ts";
export { reserved } from "./reserved.ts";
