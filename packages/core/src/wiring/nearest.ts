import { distance } from "fastest-levenshtein";

/** Of every so many letters one may be wrong in a name that still counts as meant. */
const LETTERS_AN_EDIT = 2;
/** What is shorter begins a word of a name by chance. */
const SHORTEST_WORD = 3;

/**
 * The known name that somebody may have meant: one that begins with what was written, one with a word that does, or
 * else the one that takes the fewest edits to reach, the first of equals. Undefined when every one is so far away that
 * it would be a guess: more than half of the longer of the two would have to change.
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  const written = name.toLowerCase();
  let nearest: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const edits = editsBetween(written, candidate.toLowerCase());
    const most = Math.floor(Math.max(written.length, candidate.length) / LETTERS_AN_EDIT);
    if (edits <= most && edits < fewest) {
      nearest = candidate;
      fewest = edits;
    }
  }
  return nearest;
}

function editsBetween(written: string, candidate: string): number {
  if (written !== "" && candidate.startsWith(written)) return 0;
  if (written.length >= SHORTEST_WORD && candidate.split("-").some((word) => word.startsWith(written)))
    return 1;
  // Two neighbours that changed places are one slip, which the distance counts as two.
  return isSwapped(written, candidate) ? 1 : distance(written, candidate);
}

function isSwapped(one: string, other: string): boolean {
  if (one.length !== other.length) return false;
  const at = [...one].findIndex((letter, index) => letter !== other[index]);
  return (
    at !== -1 &&
    one[at] === other[at + 1] &&
    one[at + 1] === other[at] &&
    one.slice(at + 2) === other.slice(at + 2)
  );
}
