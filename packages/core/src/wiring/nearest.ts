import { distance } from "fastest-levenshtein";

/**
 * The known name that somebody may have meant: one that begins with what was written, or else the one that takes the
 * fewest edits to reach, the first of equals. Undefined when none is known.
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const isBeginning = name !== "" && candidate.toLowerCase().startsWith(name.toLowerCase());
    const edits = isBeginning ? 0 : distance(name.toLowerCase(), candidate.toLowerCase());
    if (edits < fewest) {
      nearest = candidate;
      fewest = edits;
    }
  }
  return nearest;
}
