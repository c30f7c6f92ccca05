import { defineStrategy, EINVAL, retryWhenOpen, sigbus } from "@nopage/core/contract";

/**
 * Shows counted pages, one entry at a time: a page is mapped when it is first touched.
 *
 * This is a whole strategy, which keeps every law that applies to it. Make it yours a step at a time, and let
 * `npm test` say after each step which law no longer holds. Where to change what is said below.
 */
export const myStrategy = defineStrategy({
  name: "my-strategy",

  // What the strategy can do. Each field is tested in both directions: to claim what it cannot do fails, and so does
  // to deny what it can. Change a field here first, see which law asks for it, then write it.
  supports: {
    populate: "lazy", //                  "eager": every entry is made at mmap, by kernel.mappings
    backing: ["page-array"], //           add "pfn-run", "linear", "vmalloc" or "coherent", and show it in nopage
    whileRevoked: "wait", //              "sigbus": who touches the device while its gate is closed is refused
    mremapGrow: true, //                  false: set VM_DONTEXPAND in area.flags
    holes: true, //                       pages of the backing that are not there
    largeLeaves: false, //                true: map with large leaves where size and alignment allow
    countsPages: ["page-array"], //       the kinds whose pages are referenced and charged to the process
    privateWritable: ["page-array"], //   the kinds that may be mapped MAP_PRIVATE and written; the writer gets a copy
  },

  // Called once for each device. State that its mappings share lives here, in variables of this function.
  create: (kernel) => ({
    // The driver's mmap hook. Refuse here what can never be shown, with a negated errno.
    mmap(_area, backing) {
      if (backing.memory.kind !== "page-array") return -EINVAL;

      return {
        name: "my-strategy",

        // A touch of a page that has no entry. Answer by fault.pgoff, the index of the page in the backing, which stays
        // right when the area is split or moved. Add open and close beside it if you keep accounts for each area.
        nopage(fault) {
          // The gate: the thread sleeps until the device may be touched again, and then starts its access over. The
          // core looks at the gate once more before it writes the entry, so that no lock is needed here.
          if (fault.gate === "closed") return retryWhenOpen;
          if (fault.gate === "gone") return sigbus;

          // The object's end, of now: mremap may have grown the mapping past it, and the driver may have shrunk it.
          if (fault.pgoff >= backing.pages) return sigbus;

          // The page itself. This is the line that makes the strategy: find yours in another way.
          const { memory } = backing;
          const page = memory.kind === "page-array" ? memory.list[fault.pgoff] : undefined;

          // A hole: there is nothing here, now or later, and nothing changes.
          if (page === undefined) return sigbus;

          // The process gets the page with a reference of its own.
          return kernel.pages.handOver(page);
        },
      };
    },

    // Left out: revoke and restore, by which a strategy removes and renews entries by itself when the gate closes and
    // opens. The core removes the entries of a strategy without them, and the next touch makes them again.
  }),
});
