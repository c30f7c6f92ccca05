/** The very same object with other functions in it; a new one where it cannot be changed. */
export function inPlace<T extends object>(object: T, functions: T): T {
  const changed = Object.isExtensible(object) ? object : { ...object };
  for (const key in functions) {
    const value = functions[key];
    try {
      changed[key] = value;
    } catch {
      // What cannot be assigned, as it is constant or worked out each time, is put in place all the same.
      Object.defineProperty(changed, key, { value, writable: true, enumerable: true, configurable: true });
    }
  }
  return changed;
}
