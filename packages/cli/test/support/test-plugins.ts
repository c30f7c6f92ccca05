/** A third party's strategy in TypeScript, as text: SIGBUS for every touch. */
export const thirdPartyStrategy = `
import { defineStrategy, sigbus } from "@nopage/core/contract";
import type { MappingStrategy } from "@nopage/core/contract";
export const thirdParty: MappingStrategy = defineStrategy({
  name: "third-party",
  supports: {
    populate: "lazy", backing: ["pfn-run"], whileRevoked: "sigbus", mremapGrow: false,
    holes: false, largeLeaves: false, countsPages: [], privateWritable: [],
  },
  create: () => ({ mmap: () => ({ name: "third-party", nopage: () => sigbus }) }),
});
`;

/** A pinning policy that forgets to give the pages back. */
export const leakyPolicy = `
import { refcount } from "@nopage/pinning";
export const leaky = {
  ...refcount,
  name: "leaky",
  create: (kernel) => ({ ...refcount.create(kernel), unpin() {} }),
};
`;

/** A core that is not ours: whoever gets it is marked. */
export const secondCopyOfCore = {
  "node_modules/@nopage/core/package.json": JSON.stringify({
    name: "@nopage/core",
    version: "9.9.9",
    type: "module",
    exports: { "./contract": "./contract.js" },
  }),
  "node_modules/@nopage/core/contract.js": `
    export const defineStrategy = (strategy) => ({ ...strategy, name: "made-by-a-second-copy" });
    export const sigbus = { kind: "sigbus" };
  `,
};

/** A strategy that never takes its mapping away, so that the card is touched while DMA runs. */
export const heedlessStrategy = `
import { defineStrategy, mapPfn, VM_PFNMAP } from "@nopage/core/contract";
export const heedless = defineStrategy({
  name: "heedless",
  supports: {
    populate: "lazy", backing: ["pfn-run"], whileRevoked: "sigbus", mremapGrow: false,
    holes: false, largeLeaves: false, countsPages: [], privateWritable: [],
  },
  create: (kernel) => ({
    mmap(area, backing) {
      area.flags |= VM_PFNMAP;
      return { name: "heedless", nopagePfn: ({ pgoff }) => mapPfn(kernel.mappings.firstFrame(backing) + pgoff) };
    },
    revoke() {},
  }),
});
`;
