import type { FileOperations, OpenFile, OpenMode } from "../contract/file.ts";
import type { Inode } from "./inode.ts";

/** The core's side of an open file: descriptors and areas share it by its count (`f_count`). */
export class File implements OpenFile {
  readonly inode: Inode;
  readonly operations: FileOperations;
  readonly mode: OpenMode;
  readonly blocking: OpenFile["blocking"];
  position = 0;
  privateData: unknown = undefined;
  /** Descriptors and areas that hold it; announced as `cell`. */
  references = 1;
  readonly cell: number;

  /** @param cell the identity of its count for the scheduler */
  constructor(
    inode: Inode,
    operations: FileOperations,
    mode: OpenMode,
    blocking: OpenFile["blocking"],
    cell: number,
  ) {
    this.cell = cell;
    this.inode = inode;
    this.operations = operations;
    this.mode = mode;
    this.blocking = blocking;
  }
}
