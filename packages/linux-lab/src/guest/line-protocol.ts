import { type Access, type Trap, type TrapCode, trapCodeNumbers, type UserAddress } from "@nopage/core";

/** What one operation of the agent answered; the words are those of `agent/operations.c`. */
export type AgentAnswer =
  | { readonly kind: "is"; readonly number: number; readonly rest: readonly string[] }
  | { readonly kind: "value"; readonly value: bigint }
  | { readonly kind: "done" }
  | { readonly kind: "trap"; readonly trap: Trap }
  | { readonly kind: "what"; readonly word: string }
  /** A system call was not made, because it would have changed the agent's own memory. */
  | { readonly kind: "own" };

/** Bytes as the agent reads them. */
export function bytesAsWord(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Text as the agent reads it. */
export function textAsWord(text: string): string {
  return bytesAsWord(Buffer.from(text, "utf8"));
}

/** A number of an operation: those past 2^53 in hexadecimal, so that no digit is made up. */
export function numberAsWord(number: number | bigint): string {
  if (typeof number === "bigint") return number < 0n ? String(number) : `0x${number.toString(16)}`;
  return Number.isSafeInteger(number) ? String(number) : numberAsWord(BigInt(number));
}

/** What the operations of a line answered, one after the other. */
export function readAnswers(text: string): readonly AgentAnswer[] {
  return text.split(";").map(readAnswer);
}

function readAnswer(text: string): AgentAnswer {
  const [kind = "", first = "", ...rest] = text.trim().split(/ +/);
  switch (kind) {
    case "is":
      return { kind, number: Number(first), rest };
    case "value":
      return { kind, value: BigInt(first) };
    case "done":
    case "own":
      return { kind };
    case "trap":
      return { kind, trap: readTrap(Number(first), Number(rest[0]), Number(rest[1])) };
    default:
      return { kind: "what", word: kind === "what" ? [first, ...rest].join(" ") : text };
  }
}

/** A trap by the numbers of its signal and its code. */
export function readTrap(signalNumber: number, codeNumber: number, address: number): Trap {
  const signal = signalNumber === 7 ? "SIGBUS" : "SIGSEGV";
  const prefix = signal === "SIGBUS" ? "BUS" : "SEGV";
  const codes = Object.entries(trapCodeNumbers) as readonly [TrapCode, number][];
  const known = codes.find(([name, number]) => name.startsWith(prefix) && number === codeNumber);
  if (known === undefined) {
    throw new Error(
      `signal ${signalNumber} with code ${codeNumber} at 0x${address.toString(16)} is not known here`,
    );
  }
  return { signal, code: known[0], address: address as UserAddress };
}

/** The answer of a system call as a program sees it: exact up to 2^53, which addresses are. */
export function numberOf(answer: AgentAnswer): number {
  if (answer.kind === "is") return answer.number;
  throw unexpected(answer);
}

/** The answer of a load or a store. */
export function accessOf(answer: AgentAnswer): Access<bigint | undefined> {
  if (answer.kind === "value") return answer.value;
  if (answer.kind === "done") return undefined;
  if (answer.kind === "trap") return answer.trap;
  throw unexpected(answer);
}

/** Words that follow the number of an answer. */
export function restOf(answer: AgentAnswer): readonly string[] {
  if (answer.kind === "is") return answer.rest;
  throw unexpected(answer);
}

/** The agent did not do what it was asked for, which is never an outcome of a program. */
function unexpected(answer: AgentAnswer): Error {
  if (answer.kind === "own") {
    return new Error(
      "a call would have changed memory that is the agent's own: programs of the guest may name addresses from 0x10000000 on",
    );
  }
  const words =
    answer.kind === "what" ? `it did not understand ${answer.word}` : `it answered ${answer.kind}`;
  return new Error(`the agent was asked wrongly: ${words}`);
}
