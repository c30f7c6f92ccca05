/** What an error says, in one line and without the name of its class. */
export function firstLine(failure: unknown): string {
  const message = failure instanceof Error ? failure.message : String(failure);
  const [first = ""] = message.trim().split("\n");
  return first.trim();
}
