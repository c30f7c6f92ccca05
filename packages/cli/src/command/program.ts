import { Command } from "commander";
import type { Flags } from "../config/flags.ts";
import { subjectNames } from "../lab/find-subjects.ts";
import type { LabFlags } from "../lab/lab-plan.ts";
import { type ConformFlags, conform } from "./conform.ts";
import { conformMutants } from "./conform-mutants.ts";
import { doctor } from "./doctor.ts";
import type { ExitCode } from "./exit-code.ts";
import { type ExploreFlags, explore } from "./explore.ts";
import { exploreMutants } from "./explore-mutants.ts";
import { runLab } from "./lab.ts";
import { list } from "./list.ts";
import { newPackage } from "./new.ts";
import type { Output } from "./output.ts";
import { type ReplayFlags, replay } from "./replay.ts";
import { run } from "./run.ts";
import { killedStory } from "./run-killed.ts";
import { runStory } from "./run-story.ts";
import { unpluggedStory } from "./run-unplugged.ts";
import { checkLeftovers } from "./usage.ts";

interface Options extends Flags {
  readonly json?: true;
  readonly all?: true;
}

interface NewOptions {
  readonly json?: true;
  readonly dir?: string;
}

interface ExploreOptions extends ExploreFlags {
  readonly json?: true;
  readonly mutants?: true;
}

interface ReplayOptions extends ReplayFlags {
  readonly json?: true;
}

interface LabOptions extends LabFlags {
  readonly json?: true;
}

interface ConformOptions extends ConformFlags {
  readonly json?: true;
  readonly mutants?: true;
}

/** The command line: what can be typed, and what each of it starts. `onExit` gets a command's answer. */
export function createProgram(version: string, output: Output, onExit: (code: ExitCode) => void): Command {
  const program = new Command("nopage")
    .description("Runs a device driver on interchangeable ways of mapping its memory to user space.")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false);

  const asJson = "print one JSON document and nothing else";
  const bareSubcommand = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .helpOption("-h, --help", "print this help")
      // What is left over is looked at by ourselves: all of it at once, with the nearest option for each.
      .allowUnknownOption()
      .allowExcessArguments();

  const subcommand = (name: string, description: string): Command =>
    bareSubcommand(name, description)
      .option(
        "--config <file>",
        "the configuration; left out: nopage.config.{ts,js,json,yaml} of this folder",
      )
      .option("--json", asJson);

  subcommand("run", "acquire a signal through the driver, on the strategy that the configuration selects")
    .option("--all", "many runs: every strategy with every pinning policy, those of plugins included")
    .option(
      "--strategy <name>",
      "the mapping strategy: a name, or a package or path; with --all: this one only, with every policy",
    )
    .option(
      "--pinning <name>",
      "the pinning policy: the same; with --all: this one only, with every strategy",
    )
    .option("--device <name>", "the device: a name, or a package or path")
    .option("--geometry <name>", "the page tables of the machine")
    .option("--signal <name or file>", "what is acquired: a built-in signal, or a WAV or CSV file")
    .option("--seed <number>", "interleave all tasks at random, from this seed")
    .option("--record <file>", "with --seed: write the order in which the tasks ran to this file")
    .option("--replay <file>", "interleave the tasks in the order that this file records")
    .option(
      "--kill-at <time>",
      'kill the acquiring process at this virtual time in ns, or "random": what the pinning policy makes of it',
    )
    .option(
      "--unplug-at <time>",
      'pull the card out at this virtual time in ns, or "random": who notices, and what is left over',
    )
    .action(async ({ json, all, ...flags }: Options, command: Command) => {
      checkLeftovers(command);
      const options = { extent: all ? "all" : "configured", format: formatOf(json) } as const;
      if (flags.killAt !== undefined) onExit(await runStory(killedStory, flags, options, output));
      else if (flags.unplugAt !== undefined) onExit(await runStory(unpluggedStory, flags, options, output));
      else onExit(await run(flags, options, output));
    });

  subcommand(
    "list",
    "show strategies, pinning policies, devices and geometries with what each supports",
  ).action(async ({ json, ...flags }: Options, command: Command) => {
    checkLeftovers(command);
    onExit(await list(flags, formatOf(json), output));
  });

  subcommand("conform", "hold strategies, mirrors and pinning policies to the laws of mapping")
    .argument("[plugin...]", "names, or packages or paths; left out: all, those of plugins included")
    .option("--law <law...>", "these laws only: ids such as LK-06, or families such as LK")
    .option("--geometry <name...>", "on these page tables only; left out: on all")
    .option("--junit <file>", "write the results to this file as JUnit XML")
    .option("--markdown <file>", "write the results to this file as a Markdown table")
    .option("--explain <law>", "run nothing but this law's programs, and tell them in words")
    .option("--mutants", "try the laws themselves instead, on wrong plugins that each must be caught by one")
    .action(async (plugins: readonly string[], options: ConformOptions, command: Command) => {
      checkLeftovers(command, options.mutants === true ? 0 : Number.POSITIVE_INFINITY);
      const { json, mutants, ...flags } = options;
      if (mutants === true) {
        onExit(conformMutants(flags, formatOf(json), output));
        return;
      }
      onExit(await conform(plugins, flags, formatOf(json), output));
    });

  bareSubcommand("explore", "run the racy laws' programs in every order that makes a difference")
    .argument("[plugin]", "a strategy, a mirror or a pinning policy: a name, or a package or path")
    .option("--law <id...>", "these laws only, such as QU-02, or families, such as QU")
    .option("--geometry <name>", "the page tables of the machine; left out: x86-64")
    .option("--complete", "to the end, however many orders there are")
    .option(
      "--preemptions <number>",
      "every order with at most so many switches away from who could have gone on",
    )
    .option("--random <runs>", "so many orders at random")
    .option("--pct <runs>", "so many orders by random priorities, with the odds of having missed nothing")
    .option(
      "--depth <number>",
      "with --pct: how many pairs of steps have to be in order for a failure; left out: 2",
    )
    .option("--seed <number>", "with --random and --pct: where chance begins; left out: 1")
    .option("--max-executions <runs>", "no more runs of each program; left out, with no other limit: 1000")
    .option("--max-seconds <number>", "stop after so long; what is found until then does not depend on it")
    .option("--workers <number>", "threads that search; left out: one for each CPU, where it takes long")
    .option(
      "--save <file>",
      "write the first failure to this file, for nopage replay; where there is none, what remains of the search",
    )
    .option("--resume <file>", "go on with the search that --save has written")
    .option("--mutants", "search the laws' programs on wrong plugins instead, each of which must be caught")
    .option("--json", asJson)
    .action(async (plugin: string | undefined, options: ExploreOptions, command: Command) => {
      checkLeftovers(command, 1);
      const { json, mutants, ...flags } = options;
      const words = plugin === undefined ? [] : [plugin];
      if (mutants === true) onExit(exploreMutants(words, flags, formatOf(json), output));
      else onExit(await explore(words, flags, formatOf(json), output));
    });

  bareSubcommand("replay", "run a failure again that nopage explore has saved, and show it as lanes")
    .argument("[file]", "what nopage explore --save has written")
    .option("--plugin <plugin>", "the plugin, where it lies elsewhere than the file says: a package or path")
    .option("--step", "go through it step by step at the terminal, forwards and backwards")
    .option("--perfetto <file>", "write the run to this file as a trace that ui.perfetto.dev opens")
    .option("--json", asJson)
    .action(async (file: string | undefined, options: ReplayOptions, command: Command) => {
      checkLeftovers(command, 1);
      const { json, ...flags } = options;
      onExit(await replay(file, flags, formatOf(json), output));
    });

  bareSubcommand("lab", "hold drivers of a real Linux kernel, in QEMU, to the laws of mapping")
    .option(
      "--subject <name...>",
      `what is tried: ${subjectNames.join(", ")}, or the path of a module that exports a subject; a strategy's name stands for its twins in C on every kind of memory, "all" for the twins and what a stock kernel has; left out: the twins alone`,
    )
    .option("--law <law...>", "these laws only: ids such as LK-06, or families such as LK")
    .option("--module <file...>", "kernel modules to load first, such as mine.ko or mine.ko,pages=4")
    .option(
      "--jobs <number>",
      "guests at the same time, each with a subject of its own; left out: one for each CPU",
    )
    .option(
      "--random <number>",
      "instead of laws so many random sequences of operations, on the model and on Linux",
    )
    .option("--runs <number>", "runs of each program whose threads race; 50 where left out")
    .option("--seed <number>", "which random sequences, or in which ways races are run; 1 where left out")
    .option("--markdown <file>", "write what agrees and what does not to this file as tables, with the date")
    .option("--json", asJson)
    .action(async ({ json, ...flags }: LabOptions, command: Command) => {
      checkLeftovers(command);
      onExit(await runLab(flags, formatOf(json), output));
    });

  subcommand("doctor", "look whether this machine and this folder have what the command needs").action(
    async ({ json, ...flags }: Options, command: Command) => {
      checkLeftovers(command);
      onExit(await doctor(flags, formatOf(json), output));
    },
  );

  bareSubcommand("new", "write a package with a strategy that keeps the laws, for you to go on from")
    .argument("[kind]", 'what is to be made: "strategy"')
    .argument("[name]", "what the package and its strategy are called")
    .option("--dir <folder>", "where it is written; left out: a new folder of that name")
    .option("--json", asJson)
    .action(
      (kind: string | undefined, name: string | undefined, { json, dir }: NewOptions, command: Command) => {
        checkLeftovers(command, 2);
        onExit(newPackage({ kind, name, dir, version }, formatOf(json), output));
      },
    );
  return program;
}

function formatOf(json: true | undefined): "table" | "json" {
  return json === true ? "json" : "table";
}
