/** A plugin broke its contract: said by name, hook and what was wrong, with what it threw as the cause. */
export class ContractViolation extends Error {
  override readonly name = "ContractViolation";
  readonly plugin: string;
  readonly hook: string;

  constructor(plugin: string, hook: string, what: string, cause: unknown) {
    super(`${plugin}: ${hook} ${what}`, cause === undefined ? undefined : { cause });
    this.plugin = plugin;
    this.hook = hook;
  }
}

/** Our own mistake, not a plugin's and not the user's: a state that the machine must never reach. */
export class InvariantBroken extends Error {
  override readonly name = "InvariantBroken";
}

/** Throws `InvariantBroken` with a sentence that says what does not hold. */
export function invariant(condition: unknown, what: string): asserts condition {
  if (!condition) throw new InvariantBroken(what);
}
