import type { HookGuard } from "./hook-guard.ts";

/**
 * What a plugin's `create` answers with.
 *
 * @param needed the functions that it must have
 * @param optional those that it may leave out
 * @throws ContractViolation when it throws, or answers with something else
 */
export function hooksOf<H extends object>(
  guard: HookGuard,
  create: () => H,
  needed: readonly (keyof H & string)[],
  optional: readonly (keyof H & string)[],
): H {
  let hooks: H;
  try {
    hooks = create();
  } catch (cause) {
    throw guard.breach("create", `threw ${String(cause)}`, cause);
  }
  checkFunctions(guard, "create", hooks, needed, optional);
  return hooks;
}

/** @throws ContractViolation when an answer of a hook is no object with these functions */
export function checkFunctions<H extends object>(
  guard: HookGuard,
  hook: string,
  answer: H,
  needed: readonly (keyof H & string)[],
  optional: readonly (keyof H & string)[],
): void {
  if (typeof answer !== "object" || answer === null) {
    throw guard.breach(hook, `answered ${inWords(answer)} instead of an object with ${needed.join(", ")}`);
  }
  for (const name of [...needed, ...optional]) {
    const value: unknown = answer[name];
    if (typeof value === "function") continue;
    if (value === undefined && optional.includes(name)) continue;
    throw guard.breach(hook, `answered an object whose ${name} is ${inWords(value)} and no function`);
  }
}

/** A value that is not what it should be. */
export function inWords(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
