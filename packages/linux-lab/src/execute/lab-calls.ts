import { type Steps, user } from "@nopage/testkit/executor";
import { type AgentAnswer, numberOf } from "../guest/line-protocol.ts";
import { bytesIn, callWords, roomArgument, textArgument } from "./guest-operations.ts";
import type { SystemCall } from "./system-calls.ts";

/**
 * An argument of a system call: a number or an address; text or bytes, for their address; or room for so many bytes, which the
 * kernel writes and the call answers with.
 */
export type CallArgument = number | bigint | string | Uint8Array | { readonly room: number };

/** What a system call answered: its value or negated errno, and what it has written, room by room. */
export interface CallAnswer {
  readonly result: number;
  readonly written: readonly Uint8Array[];
}

/** What an earlier call of the same round has answered; the first is number 0. */
export interface AnswerOf {
  readonly answerOf: number;
}

/** A system call of a round that is repeated. */
export type RepeatedCall = readonly [name: SystemCall, ...given: readonly (CallArgument | AnswerOf)[]];

/** Longer than any file of sysfs or procfs that is read whole here. */
const FILE_BYTES = 4096;

/** What a real kernel can be asked for beyond the operations of programs; for subjects of the lab. */
export const lab = {
  /** Any system call, made by the calling thread. */
  *call(name: SystemCall, ...given: readonly CallArgument[]): Steps<CallAnswer> {
    const answer = yield* asked(callWords(name, ...given.map(asWord)));
    const rooms = given.filter((argument) => typeof argument === "object" && "room" in argument);
    return { result: numberOf(answer), written: rooms.map((_, which) => bytesIn(answer, which)) };
  },

  /**
   * A round of system calls so many times over, made by the calling thread as fast as the guest can, whatever they come to: for
   * races that are not met by one at a time. A round takes some microseconds, and all of it seconds at the most.
   */
  *repeat(times: number, ...round: readonly RepeatedCall[]): Steps<void> {
    const words = round.map(([name, ...given]) => callWords(name, ...given.map(asWord)));
    const done = numberOf(yield* asked([`repeat ${times}`, ...words].join(";")));
    if (done !== times) throw new Error(`the agent has repeated something ${done} times, not ${times}`);
  },

  /** What a file of sysfs or procfs says, without the line's end; a negated errno where it cannot be read. */
  *readFile(path: string): Steps<string | number> {
    const answer = yield* asked(`read ${textArgument(path)} 0 ${FILE_BYTES}`);
    const result = numberOf(answer);
    return result < 0 ? result : Buffer.from(bytesIn(answer)).toString("utf8").trimEnd();
  },

  /** Writes a file of sysfs or procfs, such as `/sys/bus/pci/rescan`: the bytes written, or a negated errno. */
  *writeFile(path: string, text: string): Steps<number> {
    return numberOf(yield* asked(`write ${textArgument(path)} 0 ${textArgument(text)}`));
  },

  /** The names in a folder, without those of itself and the one above; a negated errno where it cannot be read. */
  *listFolder(path: string): Steps<readonly string[] | number> {
    const opened = yield* user.open({ path, mode: "read", blocking: "blocking" });
    if (opened < 0) return opened;
    const names: string[] = [];
    for (;;) {
      const { result, written } = yield* lab.call("getdents64", opened, { room: FILE_BYTES }, FILE_BYTES);
      if (result <= 0) break;
      names.push(...namesIn(Buffer.from(written[0] ?? []).subarray(0, result)));
    }
    yield* user.close(opened);
    return names.filter((name) => name !== "." && name !== "..").sort();
  },

  /**
   * The folder in sysfs of the first PCI function with this vendor and device, such as `0x1234`, `0x11e8` for the edu card:
   * its files are `resource0`, `remove`, `driver_override` and so on.
   *
   * @throws Error where the guest has none
   */
  *pciFunction(vendor: string, device: string): Steps<string> {
    const root = "/sys/bus/pci/devices";
    const functions = yield* lab.listFolder(root);
    for (const name of typeof functions === "number" ? [] : functions) {
      const folder = `${root}/${name}`;
      const ids = [yield* lab.readFile(`${folder}/vendor`), yield* lab.readFile(`${folder}/device`)];
      if (ids[0] === vendor && ids[1] === device) return folder;
    }
    throw new Error(`the guest has no PCI function ${vendor}:${device}`);
  },

  /** Loads a module from a file of the guest, with parameters such as `pages=4`: 0 or a negated errno. */
  *insertModule(path: string, parameters = ""): Steps<number> {
    return numberOf(yield* asked(`insert ${textArgument(path)} ${textArgument(parameters)}`));
  },
};

/** Names in what getdents64 has written: records of a number, an offset, a length, a kind and a name. */
function namesIn(records: Buffer): readonly string[] {
  const names: string[] = [];
  for (let at = 0; at < records.length; at += records.readUInt16LE(at + 16)) {
    const nameAt = at + 19;
    names.push(records.toString("utf8", nameAt, records.indexOf(0, nameAt)));
  }
  return names;
}

function* asked(words: string): Steps<AgentAnswer> {
  return (yield* user.guest(words)) as AgentAnswer;
}

function asWord(argument: CallArgument | AnswerOf): number | bigint | string {
  if (typeof argument === "string" || argument instanceof Uint8Array) return textArgument(argument);
  if (typeof argument !== "object") return argument;
  // The first answer of the agent's line is that of `repeat` itself.
  return "room" in argument ? roomArgument(argument.room) : `@${argument.answerOf + 1}`;
}
