import type { Machine } from "../../src/machine.ts";
import { PG_touched } from "../../src/memory/page-flags.ts";
import { visitEntries } from "../../src/mmu/table-walk.ts";
import type { Chooser } from "../../src/sched/chooser.ts";
import { Access, accessNames, conflicts, describeObject } from "../../src/sched/points.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import type { Task } from "../../src/sched/task.ts";
import { UserThread } from "../../src/user/user-thread.ts";
import { announcedBy, type Touch } from "./announcements.ts";
import type { World } from "./world.ts";

/** Builds a world under a chooser, with its tasks spawned and nothing run yet. */
export type Build = (chooser: Chooser) => World;

/** Two steps that claim to be independent, and the schedule that leads to them. */
interface Pair {
  readonly prefix: readonly number[];
  readonly one: number;
  readonly other: number;
}

class Stop extends Error {}

function isConflict(ones: readonly Touch[], others: readonly Touch[]): boolean {
  return ones.some((one) =>
    others.some(
      (other) =>
        one.object === other.object &&
        conflicts((one.access || Access.write) as Access, (other.access || Access.write) as Access),
    ),
  );
}

function inWords(touches: readonly Touch[]): string {
  return touches
    .map(({ object, access }) => `${accessNames[access]} ${describeObject(object)}`)
    .join(" and ");
}

/** All that a program can ever learn of a machine, as text: two schedules that end in the same text are one. */
function stateOf(machine: Machine): string {
  const { frames } = machine.memory;
  const parts: string[] = [];
  for (const mm of machine.mms) {
    parts.push(
      `${mm.name}: ${mm.rssFile} ${mm.rssAnon} ${mm.users} ${mm.flushesPending} ${mm.pinnedPages} ${mm.cpus}`,
    );
    for (const { vpn, level, entry } of visitEntries(mm.table)) parts.push(`${vpn}/${level}=${entry}`);
    for (const area of mm.areas.all())
      parts.push(`${area.start}-${area.end} ${area.flags} ${area.hasPrivateCopies}`);
  }
  for (let at = 0; at < frames.count; at++) {
    parts.push(
      [
        frames.refcount[at],
        frames.mapcount[at],
        frames.pincount[at],
        frames.flags[at] & ~PG_touched,
        frames.owner[at],
        frames.words[(at * frames.pageSize) / 4],
      ].join(),
    );
  }
  for (const tlb of machine.tlbs) parts.push(`${tlb.space}: ${JSON.stringify([...tlb.cached()])}`);
  for (const task of machine.sched.tasks) {
    parts.push(
      `${task.name} ${task.state} ${task.signal} ${task.state === "done" ? "" : inWords(announcedBy(task))}`,
    );
  }
  parts.push(...filesOf(machine), ...allocatorsOf(machine));
  parts.push(machine.violations.list.map(({ message }) => message).join());
  return parts.join("\n");
}

/** What the allocators of kernel addresses and of windows have given out. */
function allocatorsOf({ memory }: Machine): readonly string[] {
  return [
    ...memory.vmalloc.areas().map(({ start, pages }) => `vmalloc area ${start}: ${pages}`),
    ...memory.io.list().map(({ name, startPfn, endPfn }) => `window ${name} [${startPfn}, ${endPfn})`),
  ];
}

/** Every open file with its holders, by number, and by process what is behind each descriptor. */
function filesOf({ devices, sched }: Machine): readonly string[] {
  const files = [...devices.openFiles].sort((one, other) => one.cell - other.cell);
  const open = files.map(
    ({ cell, inode, references }) => `file ${cell} of ${inode.name}: ${references}, ${inode.opens} open`,
  );
  const processes = new Set(
    sched.tasks.flatMap(({ owner }) => (owner instanceof UserThread ? [owner.process] : [])),
  );
  for (const process of processes) {
    const { files, exit, pid } = process;
    const descriptors = Array.from({ length: 6 }, (_, descriptor) => files.get(descriptor)?.cell ?? "-");
    open.push(`process ${pid}: ${descriptors.join()} ${JSON.stringify(exit)}`);
  }
  return open;
}

/** A random run: after how many choices which two enabled tasks announced steps that do not conflict. */
function findPairs(build: Build, seed: number, isPicked: (step: number) => boolean): readonly Pair[] {
  const pairs: Pair[] = [];
  const prefix: number[] = [];
  const random = randomChooser(seed);
  const world = build({
    name: "finding pairs",
    interleaves: true,
    choose(enabled, last) {
      const task = random.choose(enabled, last);
      for (const other of enabled) {
        const isPair =
          other !== task &&
          other.cpu !== task.cpu &&
          task.announcedAccess !== 0 &&
          other.announcedAccess !== 0;
        if (isPair && isPicked(prefix.length) && !isConflict(announcedBy(task), announcedBy(other))) {
          pairs.push({ prefix: [...prefix], one: task.id, other: other.id });
        }
      }
      prefix.push(task.id);
      return task;
    },
  });
  world.run();
  return pairs;
}

/** Runs the prefix and then the two steps: what they noted besides, and the state after them. */
function runSteps(build: Build, prefix: readonly number[], pair: readonly number[]) {
  const order = [...prefix, ...pair];
  let step = 0;
  const touched: Touch[][] = [];
  const said: string[] = [];
  let state = "";
  let world: World | undefined;
  world = build({
    name: "two steps",
    interleaves: true,
    choose(enabled: readonly Task[]) {
      if (step > prefix.length && world !== undefined) {
        const { notedObjects, notedAccesses } = world.machine.sched;
        touched[touched.length - 1]?.push(
          ...notedObjects.map((object, at) => ({ object, access: notedAccesses[at] as Access })),
        );
      }
      const task = enabled.find(({ id }) => id === order[step]);
      if (step >= order.length || task === undefined) {
        state =
          step < order.length
            ? `task ${order[step]} cannot run`
            : world === undefined
              ? ""
              : stateOf(world.machine);
        throw new Stop();
      }
      if (step >= prefix.length) {
        touched.push([...announcedBy(task)]);
        said.push(`${task.name}: ${inWords(announcedBy(task))}`);
      }
      step++;
      return task;
    },
  });
  try {
    world.run();
    state = stateOf(world.machine);
  } catch (thrown) {
    if (!(thrown instanceof Stop)) throw thrown;
  }
  return { touched, said, state };
}

/**
 * Looks for steps that say that they are independent and are not: of pairs that random schedules meet, both orders are
 * run, and must lead to the same state. Answers with a sentence for each pair that does not.
 */
export function findFalseIndependence(
  build: Build,
  { seeds, every }: { readonly seeds: number; readonly every: number },
): { readonly checked: number; readonly wrong: readonly string[] } {
  const wrong = new Set<string>();
  let checked = 0;
  for (let seed = 0; seed < seeds; seed++) {
    for (const { prefix, one, other } of findPairs(build, seed, (step) => step % every === seed % every)) {
      const forth = runSteps(build, prefix, [one, other]);
      const [first = [], second = []] = forth.touched;
      if (forth.touched.length === 2 && isConflict(first, second)) continue;
      const back = runSteps(build, prefix, [other, one]);
      const [later = [], sooner = []] = back.touched;
      if (back.touched.length === 2 && isConflict(later, sooner)) continue;
      checked++;
      if (forth.state === back.state) continue;
      const lines = back.state.split("\n");
      const difference = forth.state.split("\n").filter((line) => !lines.includes(line));
      wrong.add(`${forth.said.join(" | ")}: ${difference.slice(0, 3).join("; ")}`);
    }
  }
  return { checked, wrong: [...wrong] };
}
