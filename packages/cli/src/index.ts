// The public face of nopage is exported from here.
export {};
