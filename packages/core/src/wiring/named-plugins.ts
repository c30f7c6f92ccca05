import { CompositionError } from "./composition-error.ts";
import { nearestName } from "./nearest.ts";
import type { PluginKind } from "./plugin-kind.ts";
import { anyOf, type Problem } from "./problem.ts";

interface Registered<P> {
  readonly plugin: P;
  readonly source: string;
}

/** The plugins of one kind, by name, in order of registration. */
export class NamedPlugins<P extends { readonly name: string }> {
  readonly kind: PluginKind;
  readonly #byName = new Map<string, Registered<P>>();

  constructor(kind: PluginKind) {
    this.kind = kind;
  }

  /** For the registry, which has looked whether the name is free. */
  add(plugin: P, source: string): void {
    this.#byName.set(plugin.name, { plugin, source });
  }

  find(name: unknown): P | undefined {
    return typeof name === "string" ? this.#byName.get(name)?.plugin : undefined;
  }

  /** @throws CompositionError that lists the known names when this is none of them */
  get(name: string): P {
    const plugin = this.find(name);
    if (plugin === undefined) throw new CompositionError([this.unknown(name)]);
    return plugin;
  }

  /** Where the plugin of that name came from; undefined when there is none. */
  sourceOf(name: string): string | undefined {
    return this.#byName.get(name)?.source;
  }

  /** That nothing of this kind has such a name, and which names there are. */
  unknown(name: unknown): Problem {
    const known = this.names();
    const expected =
      known.length === 0
        ? `the name of a ${this.kind.title}, but none is registered`
        : `the name of a ${this.kind.title}: ${anyOf(known)}`;
    const nearest = typeof name === "string" ? nearestName(name, known) : undefined;
    return { path: this.kind.path, value: name, expected, nearest };
  }

  names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  all(): readonly P[] {
    return [...this.#byName.values()].map(({ plugin }) => plugin);
  }
}
