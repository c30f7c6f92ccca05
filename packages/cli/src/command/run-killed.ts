import { killSentence, killTable } from "../report/kill-table.ts";
import { type KillResult, killOne } from "../run/kill-one.ts";
import type { Story } from "./run-story.ts";

/** `nopage run --kill-at`: the acquiring process is killed; told is what its pinning policy makes of that. */
export const killedStory: Story<KillResult> = {
  flag: "killAt",
  option: "--kill-at",
  event: (at) => `The process is killed after ${at} ns`,
  missed: (at) => `The process was to be killed after ${at} ns, but had ended by then`,
  happened: ({ killedAt }) => killedAt !== undefined,
  tell: killOne,
  table: killTable,
  sentence: killSentence,
};
