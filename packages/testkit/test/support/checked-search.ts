import { stepsConflict } from "@nopage/core";
import type { Beginning } from "#src/explore/beginning";
import { LawRun } from "#src/explore/law-run";
import { OptimalSearch } from "#src/explore/optimal-search";
import { racyProgramsOf } from "#src/explore/racy-programs";
import type { Explorable } from "#src/explore/search";
import { Dependence, type Step } from "#src/explore/step";
import { allLaws } from "#src/laws/all-laws";
import type { Plugin } from "#src/model/contender";

/**
 * An optimal search that runs what it need not: each time that it believes to know what a step touches in another place, a
 * run shows what it touches there. A difference tells of an access that was neither announced nor noted.
 */
class CheckedSearch extends OptimalSearch {
  /** Beliefs that a run has looked at. */
  checked = 0;
  /** Those that were wrong, in words. */
  readonly mistakes: string[] = [];

  protected override beginningOf(earlier: number, later: Step, program: Explorable): Beginning {
    if (this.isTheSameAfter(earlier, later)) {
      const others = this.order.notAfter(earlier);
      this.#compare(later, this.realise(program, earlier, others, later));
    }
    return super.beginningOf(earlier, later, program);
  }

  protected override realiseAfter(
    program: Explorable,
    earlier: number,
    others: readonly Step[],
    later: Step,
  ): Step {
    const believed = super.realiseAfter(program, earlier, others, later);
    this.#compare(believed, this.realise(program, earlier, others, later));
    return believed;
  }

  #compare(believed: Step, found: Step): void {
    this.checked++;
    const [before, now] = [believed, found].map(inWords);
    if (before !== now) this.mistakes.push(`believed to ${before}, found to ${now}`);
    else if (believed.cause !== found.cause) this.mistakes.push(`${now} is caused by something else`);
  }
}

function inWords({ task, objects, accesses }: Step): string {
  return `${task}: ${objects.map((object, index) => `${object}/${accesses[index]}`).join(" ")}`;
}

/**
 * Searches the first schedules of every racy program of the laws, with every belief looked at.
 *
 * @param most executions of each program
 */
export function checkBeliefs(
  plugin: Plugin,
  most: number,
): { readonly checked: number; readonly mistakes: readonly string[] } {
  const mistakes: string[] = [];
  let checked = 0;
  for (const { law, lawCase, contender } of racyProgramsOf(allLaws, plugin, "x86-64")) {
    const search = new CheckedSearch(new Dependence(stepsConflict));
    const run = new LawRun(lawCase, contender, "x86-64");
    while (search.executions < most && search.runNext(run));
    checked += search.checked;
    mistakes.push(...search.mistakes.map((mistake) => `${law} on ${contender.name}: ${mistake}`));
  }
  return { checked, mistakes };
}
