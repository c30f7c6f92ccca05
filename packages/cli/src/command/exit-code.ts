/** What the command answers to the shell. */
export const exitCodes = {
  /** Everything that was checked holds. */
  holds: 0,
  /** A check failed, or could not be finished: bytes differ, something is left over, a rule was broken. */
  broken: 1,
  /** Bad usage or configuration; nothing was run, or nothing more from there on. */
  usage: 2,
  /** A mistake of our own. */
  internal: 3,
  /** Cut short by Ctrl-C: 128 and SIGINT's number, as shells have it. */
  interrupted: 130,
  /** Cut short by SIGTERM. */
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
