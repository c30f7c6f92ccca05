import { defineConfig } from "nopage";

// Every task may be interrupted anywhere; the same seed gives the same run.
export default defineConfig({
  strategy: "eager-remap",
  chooser: { random: 2004 },
});
