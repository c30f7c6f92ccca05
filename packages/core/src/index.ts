// The public face of @nopage/core is exported from here.
export {};
