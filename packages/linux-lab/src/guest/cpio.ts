/** A file or a folder of an archive. */
export interface ArchiveEntry {
  /** From the root, without the leading slash. */
  readonly path: string;
  /** Left out for a folder. */
  readonly contents?: Uint8Array;
  readonly mode?: "plain" | "executable";
}

const FOLDER = 0o040755;
const PLAIN = 0o100644;
const EXECUTABLE = 0o100755;

/**
 * Packs files the way the kernel unpacks its initial ones: the archive format that cpio calls `newc`
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Folders above a file need not be named.
 */
export function packArchive(entries: readonly ArchiveEntry[]): Uint8Array {
  const folders = new Set(entries.flatMap(({ path }) => foldersAbove(path)));
  const named = new Set(entries.map(({ path }) => path));
  const all = [
    ...[...folders].filter((path) => !named.has(path)).map((path): ArchiveEntry => ({ path })),
    ...entries,
  ];
  const parts = all.map((entry, index) => packEntry(entry, index + 1));
  return Buffer.concat([...parts, packEntry({ path: "TRAILER!!!", contents: new Uint8Array() }, 0)]);
}

/** `lib/modules` and `lib` for `lib/modules/a.ko`, those further up first. */
function foldersAbove(path: string): readonly string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

function packEntry({ path, contents, mode }: ArchiveEntry, inode: number): Uint8Array {
  const name = Buffer.from(`${path}\0`, "utf8");
  const kind = contents === undefined ? FOLDER : mode === "executable" ? EXECUTABLE : PLAIN;
  const size = contents?.length ?? 0;
  // Inode, mode, owner, group, links, time, size, device and special device (both major and minor), name, checksum.
  const fields = [inode, inode === 0 ? 0 : kind, 0, 0, 1, 0, size, 0, 0, 0, 0, name.length, 0];
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`;
  return Buffer.concat([
    padded(Buffer.concat([Buffer.from(head, "ascii"), name])),
    padded(contents ?? new Uint8Array()),
  ]);
}

function padded(bytes: Uint8Array): Uint8Array {
  const rest = bytes.length % 4;
  return rest === 0 ? bytes : Buffer.concat([bytes, new Uint8Array(4 - rest)]);
}
