import { EBUSY, EFAULT, EINVAL, ENOMEM, installed, VM_DONTDUMP, VM_PFNMAP } from "@nopage/core";
import { frames, pages, remapped } from "../mapping/right-strategies.ts";
import type { Mutant } from "../mutant.ts";
import { wrongCore } from "./core-mutant.ts";

const law = { bug: "law" } as const;

/** Mistakes in inserting and remapping. */
export const insertionMutants: readonly Mutant[] = [
  wrongCore(
    remapped,
    (_machine, { mappings }) => {
      const remap = mappings.remapPfnRange;
      mappings.remapPfnRange = function* (area, request) {
        const answer = yield* remap(area, request);
        area.flags &= ~VM_DONTDUMP;
        return answer;
      };
    },
    {
      ...law,
      name: "remapped frames may be dumped",
      source: "mm/memory.c remap_pfn_range (vm_flags)",
      caughtBy: { "RE-02": /VmFlags that are missing of rd wr sh mr mw me ms pf io de is dd, and must be/ },
    },
  ),
  wrongCore(
    remapped,
    (_machine, { mappings, geometry }) => {
      const remap = mappings.remapPfnRange;
      mappings.remapPfnRange = (area, request) => {
        const address = (request.address - (request.address % geometry.pageSize)) as typeof request.address;
        return remap(area, { ...request, address });
      };
    },
    {
      ...law,
      name: "a remap rounds its address down",
      source: "mm/memory.c remap_pfn_range (PAGE_ALIGNED)",
      caughtBy: { "RE-06": /and must fail with EINVAL/ },
    },
  ),
  wrongCore(
    remapped,
    (_machine, { mappings }) => {
      const remap = mappings.remapPfnRange;
      mappings.remapPfnRange = function* (area, request) {
        const answer = yield* remap(area, request);
        return answer === -EINVAL ? 0 : answer;
      };
    },
    {
      ...law,
      name: "a remap of a part of a private area succeeds",
      source: "mm/memory.c remap_pfn_range_notrack",
      caughtBy: { "RE-03": /and must fail with EINVAL/ },
    },
  ),
  wrongCore(
    remapped,
    (_machine, { mappings }) => {
      const remap = mappings.remapPfnRange;
      mappings.remapPfnRange = function* (area, request) {
        const answer = yield* remap(area, request);
        if (answer === -ENOMEM)
          yield* mappings.insertPfn(area, request.address as typeof area.start, request.pfn);
        return answer;
      };
    },
    {
      bug: "mail 1",
      name: "a remap that fails leaves entries",
      source: "simple_mmap fails after remap_page_range",
      caughtBy: {
        "RE-05": /whether entries were left by the remap is \[true, false\], and must be \[false, false\]/,
      },
    },
  ),
  wrongCore(
    pages,
    (_machine, { mappings, pages: counts }) => {
      const insert = mappings.insertPage;
      mappings.insertPage = function* (area, address, page) {
        const answer = yield* insert(area, address, page);
        if (answer === 0) yield* counts.get(page);
        return answer;
      };
    },
    {
      ...law,
      name: "an inserted page is counted twice",
      source: "mm/memory.c insert_page_into_pte_locked",
      caughtBy: {
        "RE-08": /references beside the driver's own is \[2, 2, 2, 2\], and must be \[1, 1, 1, 1\]/,
      },
    },
  ),
  wrongCore(
    pages,
    (_machine, { mappings }) => {
      const insert = mappings.insertPage;
      mappings.insertPage = function* (area, address, page) {
        const answer = yield* insert(area, address, page);
        return answer === -EBUSY || answer === -EFAULT ? 0 : answer;
      };
    },
    {
      ...law,
      name: "an insertion says done where it was refused",
      source: "mm/memory.c vm_insert_page",
      caughtBy: { "RE-09": /outside, twice is \[0, 0\], and must be \[-EFAULT, -EFAULT\]/ },
    },
  ),
  wrongCore(
    pages,
    ({ memory }) => {
      memory.frames.mayBeMapped = () => true;
    },
    {
      ...law,
      name: "any page may be inserted",
      source: "mm/memory.c validate_page_before_insert",
      caughtBy: { "LK-03": /a load from an object of a slab is 0, and must be SIGBUS BUS_ADRERR/ },
    },
  ),
  wrongCore(
    frames,
    (_machine, { mappings }) => {
      const insert = mappings.insertPfn;
      mappings.insertPfn = function* (area, address, pfn) {
        const answer = yield* insert(area, address, pfn);
        return answer.kind === "sigbus" ? installed : answer;
      };
    },
    {
      ...law,
      name: "insertion of a frame always says done",
      source: "mm/memory.c vmf_insert_pfn_prot",
      caughtBy: {
        "PF-02": /the answers of insertPfn is \[oom, installed, installed, installed\], and must be \[oom/,
      },
    },
  ),
  wrongCore(
    frames,
    (_machine, { mappings, geometry }) => {
      const insert = mappings.insertPfn;
      mappings.insertPfn = function* (area, address, pfn) {
        yield* mappings.zapVma(area, address, (address + geometry.pageSize) as typeof address);
        return yield* insert(area, address, pfn);
      };
    },
    {
      ...law,
      name: "insertion of a frame replaces what is there",
      source: "mm/memory.c insert_pfn (EBUSY)",
      caughtBy: {
        "FR-11": /the page that is shown is 0xface0000, and must be 0xface0001/,
        "PF-03": /what is shown after two insertions is 0xface0001, and must be 0xface0000/,
      },
    },
  ),
  wrongCore(
    frames,
    (_machine, { mappings }) => {
      mappings.accessPhys = function* (_area, _address, buffer) {
        buffer.fill(0);
        return buffer.length;
      };
    },
    {
      ...law,
      name: "a debugger sees zeros",
      source: "mm/memory.c generic_access_phys",
      caughtBy: { "PF-08": /bytes of an untouched page, with the hook is 4, and must be 0/ },
    },
  ),
  wrongCore(
    pages,
    (_machine, { mappings }) => {
      const zap = mappings.zapVma;
      mappings.zapVma = function* (area, start, end) {
        const { flags } = area;
        area.flags |= VM_PFNMAP;
        yield* zap(area, start, end);
        area.flags = flags;
      };
    },
    {
      ...law,
      name: "zap_vma_ptes zaps any area",
      source: "mm/memory.c zap_vma_ptes",
      caughtBy: {
        "RV-07": /the number of entries after a zap of an area that is not VM_PFNMAP is 0, and must be 4/,
      },
    },
  ),
  wrongCore(
    pages,
    (_machine, { mappings }) => {
      const unmap = mappings.unmapMappingRange;
      mappings.unmapMappingRange = (mapping, first, count, reach) => unmap(mapping, first, count || 1, reach);
    },
    {
      ...law,
      name: "a length of 0 is a page",
      source: "mm/memory.c unmap_mapping_range (holelen 0)",
      caughtBy: { "RV-04": /the number of entries after all of it was unmapped is 2, and must be 0/ },
    },
  ),
];
