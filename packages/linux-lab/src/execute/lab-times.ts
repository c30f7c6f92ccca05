/** Real times, in milliseconds. */
export interface LabTimes {
  /** Between two looks at who stands still. */
  readonly look: number;
  /** A sleep that nobody disturbs takes as long as it says, but no longer than this: what the kernel or a device does by itself has to be over by then. */
  readonly settling: number;
  /** When everybody has stood still for so long, nobody will go on. */
  readonly rest: number;
  /** An operation may keep a CPU for so long, and a process may take so long to go. */
  readonly operation: number;
}

/** For a machine that is busy with something else as well. */
export const usualTimes: LabTimes = { look: 15, settling: 250, rest: 2000, operation: 15_000 };
