import type { Inode } from "../device/inode.ts";
import type { KernelModule } from "../device/kernel-module.ts";
import type { Process } from "../user/process.ts";
import type { Area } from "./area.ts";
import type { MaySleep, Sleepable } from "./execution.ts";
import type { UserAddress } from "./units.ts";

/** How a file was opened (`O_RDONLY`, `O_WRONLY`, `O_RDWR`). */
export type OpenMode = "read" | "write" | "read-write";

/** One open of a file (`struct file`); it lives until its last descriptor and its last area are gone. */
export interface OpenFile {
  readonly inode: Inode;
  readonly operations: FileOperations;
  readonly mode: OpenMode;
  /** O_NONBLOCK: operations answer -EAGAIN instead of waiting. */
  readonly blocking: "blocking" | "nonblocking";
  /** Offset of the next read or write, in bytes. */
  position: number;
  privateData: unknown;
}

/** What a driver does for each system call on its file (`struct file_operations`). */
export interface FileOperations {
  readonly name: string;
  /** The module that must stay loaded while the file lives; a file without one pins nothing (MO-03). */
  readonly owner: KernelModule | undefined;
  open?(file: OpenFile, process: Process): MaySleep<number>;
  /** The last user of the file is gone. */
  release?(file: OpenFile): MaySleep<void>;
  /** Bytes moved, or a negated errno. The buffer is user memory: copied with `kernel.user`. */
  read?(file: OpenFile, buffer: UserAddress, length: number): Sleepable<number>;
  write?(file: OpenFile, buffer: UserAddress, length: number): Sleepable<number>;
  /** The command's own result, or a negated errno. `argument` is a number or a user address. */
  ioctl?(file: OpenFile, command: number, argument: number): MaySleep<number>;
  /** Sets the area's operations through `area.ops`; 0 or a negated errno. */
  mmap?(file: OpenFile, area: MappableArea): MaySleep<number>;
}

/** An area while its mmap hook runs: the only time at which operations and mapping may be set. */
export interface MappableArea extends Area {
  ops: Area["ops"];
  mapping: Area["mapping"];
  backing: import("./backing.ts").Backing | undefined;
}
