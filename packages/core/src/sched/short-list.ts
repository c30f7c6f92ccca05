/** Empties a short list that is soon filled again: its memory stays, which it would not if its length were set. */
export function clear(list: unknown[]): void {
  while (list.length > 0) list.pop();
}
