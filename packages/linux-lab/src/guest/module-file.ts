/** What every ELF file begins with. */
const ELF = "\u007fELF";

/** Where an ELF file says of what kind it is, in two bytes, and the kind that modules are: ET_REL. */
const KIND = { at: 16, relocatable: 1 } as const;

/** What a file is, to whom it is to be loaded into a kernel. */
export type ModuleFile =
  | { readonly kind: "no ELF file" | "no kernel module" }
  /** The release of the kernel that it was built for, such as `6.1.0-56-cloud-amd64`. */
  | { readonly kind: "module"; readonly release: string };

/** Looks at a file's contents. A module names its kernel first in `vermagic=` of its section `.modinfo` (scripts/mod/modpost.c). */
export function readModule(contents: Buffer): ModuleFile {
  if (contents.subarray(0, ELF.length).toString("latin1") !== ELF) return { kind: "no ELF file" };
  const kind = contents.length < KIND.at + 2 ? undefined : contents.readUInt16LE(KIND.at);
  const magic = kind === KIND.relocatable ? modinfoOf(contents, "vermagic") : undefined;
  if (magic === undefined) return { kind: "no kernel module" };
  return { kind: "module", release: magic.split(" ")[0] ?? magic };
}

/** What a module's section `.modinfo` says under a key; undefined where it says nothing. */
export function modinfoOf(contents: Buffer, name: string): string | undefined {
  const key = Buffer.from(`\0${name}=`, "latin1");
  const at = contents.indexOf(key);
  if (at < 0) return undefined;
  const from = at + key.length;
  return contents.subarray(from, contents.indexOf(0, from)).toString("latin1");
}
