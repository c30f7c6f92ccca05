// The public face of @nopage/lazy-nopage is exported from here.
export { lazyNopage } from "./lazy-nopage.ts";
