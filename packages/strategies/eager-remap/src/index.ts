// The public face of @nopage/eager-remap is exported from here.
export { eagerRemap } from "./eager-remap.ts";
