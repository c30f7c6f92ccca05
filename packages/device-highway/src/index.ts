// The public face of @nopage/device-highway is exported from here.
export {};
