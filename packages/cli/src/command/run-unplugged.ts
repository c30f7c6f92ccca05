import { unplugSentence, unplugTable } from "../report/unplug-table.ts";
import { type UnplugResult, unplugOne } from "../run/unplug-one.ts";
import type { Story } from "./run-story.ts";

/** `nopage run --unplug-at`: the card is pulled out; told is who noticed, and how. */
export const unpluggedStory: Story<UnplugResult> = {
  flag: "unplugAt",
  option: "--unplug-at",
  event: (at) => `The card is pulled out after ${at} ns`,
  missed: (at) => `The card was to be pulled out after ${at} ns, but everything was over by then`,
  happened: ({ unpluggedAt }) => unpluggedAt !== undefined,
  tell: unplugOne,
  table: unplugTable,
  sentence: unplugSentence,
};
