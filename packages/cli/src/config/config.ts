import type { MachineOptions } from "@nopage/core";

/**
 * Who runs next: a task until it sleeps; a random walk over all interleavings from a seed; or the order that
 * `nopage run --record FILE` has written, the file relative to the configuration.
 */
export type ChooserConfig = "run-to-block" | { readonly random: number } | { readonly replay: string };

/** The options of a machine that can be written in a file. */
export type MachineConfig = Omit<MachineOptions, "chooser" | "allocations">;

/** What `nopage.config.{ts,js,json,yaml}` holds; whatever is left out has a default. Flags win over it. */
export interface NopageConfig {
  /** The mapping strategy, by name. */
  readonly strategy?: string;
  /** The pinning policy, by name. */
  readonly pinning?: string;
  readonly device?: {
    /** The device's driver, by name. */
    readonly name: string;
    /** Handed to the driver, which says what they may be. */
    readonly options?: Readonly<Record<string, unknown>>;
  };
  readonly machine?: MachineConfig;
  readonly chooser?: ChooserConfig;
  /** What is acquired: a built-in signal by name, or a WAV or CSV file relative to the configuration file. */
  readonly signal?: string;
  /** Modules with further plugins: packages by name, or paths relative to the configuration file. */
  readonly plugins?: readonly string[];
}

/** Declares a configuration; the identity function, for inference and a place to hover on. */
export function defineConfig<C extends NopageConfig>(config: C): C {
  return config;
}
