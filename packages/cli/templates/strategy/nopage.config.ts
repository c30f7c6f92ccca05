import { defineConfig } from "nopage";

// `nopage run` acquires a signal by DMA through the Highway driver, while other threads poll the card's memory, which
// is shown to them by the strategy.
export default defineConfig({
  strategy: "./src/my-strategy.ts",
});
