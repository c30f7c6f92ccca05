/** The very same object with other functions in it; a new one where it cannot be changed. */
export function inPlace<T extends object>(object: T, functions: T): T {
  const changed = Object.isExtensible(object) ? object : { ...object };
  for (const [key, value] of Object.entries(functions)) {
    Object.defineProperty(changed, key, { value, writable: true, enumerable: true, configurable: true });
  }
  return changed;
}
