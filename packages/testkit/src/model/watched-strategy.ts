import type { MappingStrategy, MaySleep, Point, Sleep, StrategyHooks, VmOps } from "@nopage/core";
import { inPlace } from "../guard/in-place.ts";
import type { FallibleHook } from "../subject/subject.ts";
import { finished } from "./finished.ts";

/** How often the core asked a strategy's hooks, and which of them are to fail the next time. */
export class HookWatch {
  mmaps = 0;
  opens = 0;
  closes = 0;
  faults = 0;
  readonly #failing = new Map<FallibleHook, number>();
  readonly #watched = new Set<VmOps>();

  /** Whether operations are watched already. */
  knows(ops: VmOps): boolean {
    return this.#watched.has(ops);
  }

  know(ops: VmOps): void {
    this.#watched.add(ops);
    if (this.#failing.has("mkwrite")) this.#letRefuse(ops);
  }

  /** The next call of the hook answers with the negated errno instead of asking the strategy. */
  failNext(hook: FallibleHook, errno: number): void {
    this.#failing.set(hook, errno);
    if (hook === "mkwrite") for (const ops of this.#watched) this.#letRefuse(ops);
  }

  /** The errno that a hook is to fail with now; undefined when it is not to. */
  failureOf(hook: FallibleHook): number | undefined {
    const errno = this.#failing.get(hook);
    if (errno !== undefined) this.#failing.delete(hook);
    return errno;
  }

  /** Its mere presence makes the first store to every page fault, so operations without it have it only while it is to fail. */
  #letRefuse(ops: VmOps): void {
    if (ops.mkwrite === undefined) ops.mkwrite = this.#refuse;
  }

  readonly #refuse: NonNullable<VmOps["mkwrite"]> = () => {
    const isToFail = this.failureOf("mkwrite") !== undefined;
    for (const ops of this.#watched) if (ops.mkwrite === this.#refuse) delete ops.mkwrite;
    return { kind: isToFail ? "sigbus" : "installed" };
  };
}

/** The same strategy with every call of its hooks counted, as a driver does that keeps accounts of its mappings. */
export function watched(strategy: MappingStrategy, watch: HookWatch): MappingStrategy {
  return {
    name: strategy.name,
    supports: strategy.supports,
    create(kernel): StrategyHooks {
      const hooks = strategy.create(kernel);
      const { revoke, restore } = hooks;
      return {
        mmap: (area, backing) => watchedMmap(hooks.mmap(area, backing), watch),
        ...(revoke !== undefined && { revoke: (backing) => revoke.call(hooks, backing) }),
        ...(restore !== undefined && { restore: (backing) => restore.call(hooks, backing) }),
      };
    },
  };
}

function* watchedMmap(
  answer: MaySleep<VmOps | number>,
  watch: HookWatch,
): Generator<Point | Sleep, VmOps | number, void> {
  watch.mmaps++;
  const operations = yield* finished(answer);
  const errno = watch.failureOf("mmap");
  // Errors are the strategy's to make, wherever in the hook a driver would find out.
  if (errno !== undefined) return -errno;
  return typeof operations === "object" && operations !== null ? watchedOps(operations, watch) : operations;
}

/**
 * The hooks of one set of operations, watched. They stay the object that the strategy made wherever that can be changed: a
 * strategy may tell its own areas from others by it.
 */
function watchedOps(ops: VmOps, watch: HookWatch): VmOps {
  if (watch.knows(ops)) return ops;
  const watched = inPlace(ops, watchedHooks(ops, watch));
  watch.know(watched);
  return watched;
}

/** The hooks as they are now, whatever becomes of the object, each still called on it. */
function watchedHooks(ops: VmOps, watch: HookWatch): VmOps {
  const { name, open, close, nopage, nopagePfn, mkwrite, maySplit, mremap, mprotect } = ops;
  const hooks: VmOps = {
    name,
    open: (area) => {
      watch.opens++;
      return open?.call(ops, area);
    },
    close: (area) => {
      watch.closes++;
      return close?.call(ops, area);
    },
    maySplit: (area, address) => refusal(watch, "may-split") ?? maySplit?.call(ops, area, address) ?? 0,
    mremap: (area) => refusal(watch, "mremap") ?? mremap?.call(ops, area) ?? 0,
    mprotect: (area, start, end, flags) =>
      refusal(watch, "mprotect") ?? mprotect?.call(ops, area, start, end, flags) ?? 0,
  };
  if (mkwrite !== undefined) {
    hooks.mkwrite = (fault) =>
      watch.failureOf("mkwrite") === undefined ? mkwrite.call(ops, fault) : { kind: "sigbus" };
  }
  if (nopage !== undefined) {
    hooks.nopage = (fault) => {
      watch.faults++;
      return nopage.call(ops, fault);
    };
  }
  if (nopagePfn !== undefined) {
    hooks.nopagePfn = (fault) => {
      watch.faults++;
      return nopagePfn.call(ops, fault);
    };
  }
  return hooks;
}

function refusal(watch: HookWatch, hook: FallibleHook): number | undefined {
  const errno = watch.failureOf(hook);
  return errno === undefined ? undefined : -errno;
}
