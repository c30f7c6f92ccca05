import { defineConfig } from "nopage";

export default defineConfig({
  strategy: "lazy-nopage",
  pinning: "refcount",
  device: { name: "highway", options: { interfaces: 2 } },
  machine: { geometry: "x86-64", cpus: 2 },
  signal: "guitar",
});
