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
  /** Descriptors and areas that hold it. */
  references = 1;

  constructor(inode: Inode, operations: FileOperations, mode: OpenMode, blocking: OpenFile["blocking"]) {
    this.inode = inode;
    this.operations = operations;
    this.mode = mode;
    this.blocking = blocking;
  }
}
