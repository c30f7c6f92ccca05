import type { PartAnswer, PartKind } from "@nopage/testkit";
import { Tinypool } from "tinypool";
import type { prepare, SentPart } from "./explore-part.ts";

/** The module that workers run: a thread has no way to load what is not built, so it is the built one also for a test of sources. */
const entry = new URL("./explore-part.js", import.meta.url).href.replace(
  "/cli/src/explore/",
  "/cli/dist/explore/",
);

/**
 * Threads that explore parts of searches. They get plain data only, and load plugins themselves. Starting them takes some
 * tenths of a second, during which the search goes on here.
 */
export class WorkerPool {
  readonly #pool: Tinypool;
  #isReady = false;
  #failure: unknown = undefined;

  /** @param workers 1 or more */
  constructor(workers: number, plugin: string, directory: string) {
    this.#pool = new Tinypool({
      filename: entry,
      minThreads: workers,
      maxThreads: workers,
      execArgv: [],
    });
    const prepared: Parameters<typeof prepare>[0] = { plugin, directory };
    const all = Array.from({ length: workers }, () => this.#pool.run(prepared, { name: "prepare" }));
    Promise.all(all).then(
      () => {
        this.#isReady = true;
      },
      (failure: unknown) => {
        this.#failure = failure;
      },
    );
  }

  /** Whether the workers have loaded the plugin. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Why the workers cannot load the plugin; undefined when they can, or when that is not known yet. */
  get failure(): string | undefined {
    if (this.#failure === undefined) return undefined;
    return this.#failure instanceof Error ? this.#failure.message : String(this.#failure);
  }

  /** @throws Error when a worker throws, or ends */
  async explore<K extends PartKind>(part: SentPart<K>): Promise<PartAnswer<K>> {
    return (await this.#pool.run(part, { name: "explorePart" })) as PartAnswer<K>;
  }

  async end(): Promise<void> {
    await this.#pool.destroy();
  }
}
