import { defineConfig } from "nopage";

export default defineConfig({
  plugins: ["./impatient-nopage.ts"],
  strategy: "impatient-nopage",
});
