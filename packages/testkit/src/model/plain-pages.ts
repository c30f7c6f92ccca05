import { defineStrategy, retryWhenOpen, sigbus } from "@nopage/core";

/**
 * Shows pages, one at a time: the smallest strategy that keeps every law, for laws that are about something else than a
 * strategy.
 */
export const plainPages = defineStrategy({
  name: "plain pages",
  supports: {
    populate: "lazy",
    backing: ["page-array"],
    whileRevoked: "wait",
    mremapGrow: true,
    holes: true,
    largeLeaves: false,
    countsPages: ["page-array"],
    privateWritable: ["page-array"],
  },
  create: (kernel) => ({
    mmap: (_area, backing) => ({
      name: "plain pages",
      nopage(fault) {
        if (fault.gate === "closed") return retryWhenOpen;
        const { memory, pages } = backing;
        if (fault.gate === "gone" || fault.pgoff >= pages || memory.kind !== "page-array") return sigbus;
        const page = memory.list[fault.pgoff];
        return page === undefined ? sigbus : kernel.pages.handOver(page);
      },
    }),
  }),
});
