// The public face of @nopage/pfn-nopage is exported from here.
export {};
