import { PluginError } from "@nopage/core/wiring";
import { firstLine } from "../report/first-line.ts";
import { parseError } from "./where-it-is-wrong.ts";

/** Why a module gave no plugins, a phrase each. */
export function whyNotLoaded(failure: unknown, from: string): readonly string[] {
  if (failure instanceof PluginError) {
    return failure.rejections.map(({ plugin, problems }) => `${plugin} is rejected: ${problems.join("; ")}`);
  }
  return [`it cannot be loaded from ${from}: ${parseError(failure) ?? firstLine(failure)}`];
}
