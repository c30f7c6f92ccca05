/** What the command answers to the shell. */
export const exitCodes = {
  /** Everything that was checked holds. */
  holds: 0,
  /** A check failed: bytes differ, something is left over, a rule was broken. */
  broken: 1,
  /** Bad usage or configuration; nothing was run. */
  usage: 2,
  /** A mistake of our own. */
  internal: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
