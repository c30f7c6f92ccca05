// The public face of @nopage/pfn-nopage is exported from here.
export { pfnNopage } from "./pfn-nopage.ts";
