import type { Behaviour, Subject } from "./behaviour.ts";
import { contents } from "./contents.ts";
import { entries } from "./entries.ts";
import { lifetime } from "./lifetime.ts";
import { quiescing } from "./quiescing.ts";
import { resizing } from "./resizing.ts";
import { waiting } from "./waiting.ts";

/**
 * What a mapping must do according to what its strategy claims to support: where a capability is off, that the
 * opposite holds.
 */
export function behavioursOf(subject: Subject): readonly Behaviour[] {
  return [contents, entries, resizing, quiescing, waiting, lifetime].flatMap((family) => family(subject));
}
