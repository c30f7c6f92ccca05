import { unplugSentence, unplugTable } from "../report/unplug-table.ts";
import { type UnplugResult, unplugOne } from "../run/unplug-one.ts";
import type { Story } from "./run-story.ts";

/** `nopage run --unplug-at`: the card is pulled out; told is who noticed, and how. */
export const unpluggedStory: Story<UnplugResult> = {
  flag: "unplugAt",
  option: "--unplug-at",
  event: "The card is pulled out",
  tell: unplugOne,
  table: unplugTable,
  sentence: unplugSentence,
};
