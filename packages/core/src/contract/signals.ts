import type { UserAddress } from "./units.ts";

/** Signals that the model delivers, with Linux's numbers. */
export const signalNumbers = {
  SIGKILL: 9,
  SIGBUS: 7,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGTERM: 15,
} as const;

export type SignalName = keyof typeof signalNumbers;

/** Why a memory access raised a signal (`si_code`). */
export type TrapCode = "SEGV_MAPERR" | "SEGV_ACCERR" | "BUS_ADRERR" | "BUS_MCEERR_AR";

/** `si_code` as a number, as a signal handler sees it. */
export const trapCodeNumbers: Readonly<Record<TrapCode, number>> = {
  SEGV_MAPERR: 1,
  SEGV_ACCERR: 2,
  BUS_ADRERR: 2,
  BUS_MCEERR_AR: 4,
};

/** A memory access that ended in a signal: what `siginfo_t` tells the handler. */
export interface Trap {
  readonly signal: "SIGSEGV" | "SIGBUS";
  readonly code: TrapCode;
  /** The address that was touched (`si_addr`). */
  readonly address: UserAddress;
}

/** What a load or a store comes to: its value, or a trap. */
export type Access<T> = T | Trap;

/** Whether an access ended in a signal. */
export function isTrap(result: unknown): result is Trap {
  return typeof result === "object" && result !== null && "signal" in result && "code" in result;
}
