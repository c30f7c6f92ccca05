/** A plugin cannot be registered: its name, where it came from, and a sentence a problem. */
export class PluginError extends Error {
  override readonly name = "PluginError";
  readonly plugin: string;
  readonly source: string;
  readonly problems: readonly string[];

  constructor(plugin: string, source: string, problems: readonly string[]) {
    super(`${plugin} from ${source} is rejected: ${problems.join("; ")}`);
    this.plugin = plugin;
    this.source = source;
    this.problems = problems;
  }
}
