/** Why one plugin is not registered. */
export interface Rejection {
  /** Kind and name, as far as they are known: `strategy "lazy-nopage"`. */
  readonly plugin: string;
  /** A sentence each, without a full stop. */
  readonly problems: readonly string[];
}

/** Plugins cannot be registered: which, where they came from, and everything that is wrong with them. */
export class PluginError extends Error {
  override readonly name = "PluginError";
  readonly source: string;
  readonly rejections: readonly Rejection[];

  constructor(source: string, rejections: readonly Rejection[]) {
    const sentences = rejections.map(
      ({ plugin, problems }) => `${plugin} from ${source}: ${problems.join("; ")}`,
    );
    super(sentences.join("\n"));
    this.source = source;
    this.rejections = rejections;
  }
}
