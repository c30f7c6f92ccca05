// The public face of @nopage/pinning is exported from here: one policy a file.
export { refcount } from "./refcount.ts";
