import {
  EINVAL,
  type FileOperations,
  isGenerator,
  type MaySleep,
  type OpenFile,
  type Sleepable,
} from "@nopage/core";

/** What a control device does for one command; `argument` is the command's, and the answer is the system call's. */
export type ControlCommand = (argument: number, file: OpenFile) => MaySleep<number>;

/**
 * File operations that carry out commands: the way by which a law's program reaches the owner of what it has mapped, as
 * it would through an ioctl of a driver's test interface.
 */
export function controlOperations(name: string, commands: readonly ControlCommand[]): FileOperations {
  return {
    name,
    owner: undefined,
    *ioctl(file, command, argument): Sleepable<number> {
      const carryOut = commands[command];
      if (carryOut === undefined) return -EINVAL;
      const answer = carryOut(argument, file);
      return isGenerator(answer) ? yield* answer : answer;
    },
  };
}
