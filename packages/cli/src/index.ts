/** What a `nopage.config.ts` imports. */
export { type ChooserConfig, defineConfig, type MachineConfig, type NopageConfig } from "./config/config.ts";
