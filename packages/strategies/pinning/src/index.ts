// The public face of @nopage/pinning is exported from here.
export {};
