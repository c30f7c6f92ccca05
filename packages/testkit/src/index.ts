// The public face of @nopage/testkit is exported from here.
export {};
