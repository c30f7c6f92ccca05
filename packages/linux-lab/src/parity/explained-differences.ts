/** Why the model and Linux differ, where neither is to be changed. */
export interface ExplainedDifference {
  /** Such as `MM-07`. */
  readonly law: string;
  /** Which of the law's programs; all where left out. */
  readonly when?: string;
  /** Subjects, or their strategies; all where left out. */
  readonly subjects?: readonly string[];
  readonly reason: string;
}

/** Every difference that was settled without a change. */
export const explainedDifferences: readonly ExplainedDifference[] = [];

/** Why a difference is no news; undefined where nothing is known of it. */
export function explanationOf(
  law: string,
  when: string,
  subject: string,
  known: readonly ExplainedDifference[] = explainedDifferences,
): string | undefined {
  const [plugin = subject] = subject.split(".");
  return known.find(
    (explained) =>
      explained.law === law &&
      (explained.when ?? when) === when &&
      (explained.subjects?.some((name) => name === subject || name === plugin) ?? true),
  )?.reason;
}
