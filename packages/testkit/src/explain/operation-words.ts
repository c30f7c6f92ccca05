import { VM_EXEC, VM_READ, VM_WRITE } from "@nopage/core";
import { inWords } from "../program/expect.ts";
import type { UserOperation } from "../program/operation.ts";

/** From here on a number is an address or a mark, which people read in hexadecimal. */
const LONG = 0x1_0000;

/** One operation of a program as a person reads it: `mmap(length 16384, protection read and write, …)`. */
export function operationInWords(operation: UserOperation): string {
  switch (operation.call) {
    case "thread":
      return `starts the thread "${operation.request.name}"`;
    case "fork":
      return `forks "${operation.request.name}"`;
    case "process":
      return `another process "${operation.request.name}" starts`;
    case "join":
      return `waits for the end of "${operation.request.actor.name}"`;
    case "stateOf":
      return `looks how "${operation.request.actor.name}" stands`;
    case "kill":
      return `sends ${operation.request.signal} to "${operation.request.actor.name}"`;
    case "settle":
      return "lets everybody else go on until they end or are blocked";
    case "kernel":
      return "acts or looks inside the kernel";
    default:
      return `${operation.call}(${fields(operation.request)})`;
  }
}

/** What an operation was given back, as the end of its line; nothing where there is nothing to say. */
export function answerInWords(answer: unknown): string {
  if (answer === undefined) return "";
  if (answer instanceof Uint8Array) return ` = ${answer.length} bytes`;
  return ` = ${inWords(answer)}`;
}

/** The arguments of a call of the subject. */
export function argumentsInWords(given: readonly unknown[]): string {
  return given.map((value) => (isPlainObject(value) ? fields(value) : showValue(value))).join(", ");
}

function fields(request: object): string {
  return Object.entries(request)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${showField(name, value)}`)
    .join(", ");
}

function showField(name: string, value: unknown): string {
  if (name === "protection") return showProtection(value);
  return name === "duration" ? `${String(value)} ns` : showValue(value);
}

function showProtection(bits: unknown): string {
  if (typeof bits !== "number") return String(bits);
  const rights = [
    [VM_READ, "read"],
    [VM_WRITE, "write"],
    [VM_EXEC, "execute"],
  ] as const;
  return rights.flatMap(([bit, right]) => ((bits & bit) === 0 ? [] : [right])).join("+") || "none";
}

function showValue(value: unknown): string {
  if (typeof value === "number" && value >= LONG) return `0x${value.toString(16)}`;
  if (typeof value === "bigint") return `0x${value.toString(16)}`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value === "function") return "a program";
  return isPlainObject(value) ? `{ ${fields(value)} }` : String(value);
}

function isPlainObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}
