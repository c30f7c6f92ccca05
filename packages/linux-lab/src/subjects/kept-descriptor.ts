import type { OpenMode } from "@nopage/core";
import { mustSucceed, type Steps, user } from "@nopage/testkit/executor";
import { lab } from "../execute/lab-calls.ts";
import { NotObservable } from "../execute/lab-executor.ts";

/**
 * What a descriptor of the keeper stands for, where an open of its own would give another object: sockets, events and rings.
 * Whoever opens it gets the same open file by pidfd_getfd, as if the keeper had sent it.
 */
export class KeptDescriptor {
  readonly #descriptor: number;
  readonly #keeper: number;

  private constructor(descriptor: number, keeper: number) {
    this.#descriptor = descriptor;
    this.#keeper = keeper;
  }

  /** For the keeper itself, of which the descriptor is. */
  static *of(descriptor: number): Steps<KeptDescriptor> {
    return new KeptDescriptor(descriptor, (yield* lab.call("getpid")).result);
  }

  /**
   * A descriptor of the calling process for the same open file.
   *
   * @throws NotObservable for an open of another mode, which an open file cannot have
   */
  *open(mode: OpenMode = "read-write"): Steps<number> {
    if (mode !== "read-write") throw new NotObservable("it is always open for reading and writing");
    const process = mustSucceed("pidfd_open", (yield* lab.call("pidfd_open", this.#keeper, 0)).result);
    const { result } = yield* lab.call("pidfd_getfd", process, this.#descriptor, 0);
    yield* user.close(process);
    return result;
  }
}
