/** What somebody says: exactly these words, or what they are like where a number in them may be another. */
export type Said = string | RegExp;

/** Whether a text is what was to be said. */
export function hasSaid(said: Said, text: string): boolean {
  return typeof said === "string" ? said === text : said.test(text);
}
