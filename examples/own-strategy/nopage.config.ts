import { defineConfig } from "nopage";

export default defineConfig({
  strategy: "./impatient-nopage.ts",
});
