import {
  canShow,
  checkSettings,
  type PluginRegistry,
  type Problem,
  type WorldSettings,
} from "@nopage/core/wiring";

/** What a run goes through: the one that is configured, or every strategy with every pinning policy. */
export interface Choice {
  readonly extent: "configured" | "all";
  /** Keep to this strategy where all are asked for. */
  readonly strategy: string | undefined;
  /** Keep to this pinning policy where all are asked for. */
  readonly pinning: string | undefined;
}

/** What is wrong with the settings, and if nothing is, those of each run in the order in which they are made. */
export interface Plan {
  readonly problems: readonly Problem[];
  readonly runs: readonly WorldSettings[];
}

/** Lays out the runs that the choice asks for. */
export function planRuns(settings: WorldSettings, registry: PluginRegistry, choice: Choice): Plan {
  const narrows = choice.extent === "all";
  const problems = checkSettings(settings, registry)
    .map((problem) => mentionModules(problem, registry))
    .map((problem) => (narrows ? mentionAll(problem, choice) : problem));
  if (choice.extent === "configured") return { problems, runs: [settings] };
  const runs = combinations(settings, registry, choice);
  // The configured strategy need not fit the device when others that do are run anyway.
  const isSpared = ({ path, value }: Problem) =>
    path === "strategy" && runs.length > 0 && registry.strategies.find(value) !== undefined;
  return { problems: problems.filter((problem) => !isSpared(problem)), runs };
}

/** An unknown name could have been a module as well, which the registry knows nothing of. */
function mentionModules(problem: Problem, { strategies, pinning, devices }: PluginRegistry): Problem {
  const { path, value, expected } = problem;
  const plugins = [strategies, pinning, devices].find(({ kind }) => kind.path === path);
  if (plugins === undefined || plugins.find(value) !== undefined) return problem;
  return { ...problem, expected: `${expected}; or the package or path of a module that exports one` };
}

/** With all asked for, the two flags mean something else than they do alone. */
function mentionAll(problem: Problem, choice: Choice): Problem {
  const { path, expected } = problem;
  if ((path !== "strategy" && path !== "pinning") || choice[path] === undefined) return problem;
  const others = path === "strategy" ? "every pinning policy" : "every strategy";
  return { ...problem, expected: `${expected}; with --all, --${path} keeps to that one, with ${others}` };
}

function combinations(
  settings: WorldSettings,
  registry: PluginRegistry,
  { strategy, pinning }: Choice,
): readonly WorldSettings[] {
  const driver = registry.devices.find(settings.device.name);
  if (driver === undefined) return [];
  const strategies = registry.strategies
    .all()
    .filter((candidate) => canShow(candidate, driver) && (strategy ?? candidate.name) === candidate.name);
  const policies = registry.pinning.names().filter((name) => (pinning ?? name) === name);
  return strategies.flatMap(({ name }) =>
    policies.map((policy) => ({ ...settings, strategy: name, pinning: policy })),
  );
}
