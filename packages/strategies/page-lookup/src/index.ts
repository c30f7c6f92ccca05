// The public face of @nopage/page-lookup is exported from here.
export { pageLookup } from "./page-lookup.ts";
