import { type GeometryName, geometries } from "@nopage/core";

/** Every geometry, in the order in which lists show them. */
export const geometryNames: readonly GeometryName[] = Object.values(geometries).map(({ name }) => name);
