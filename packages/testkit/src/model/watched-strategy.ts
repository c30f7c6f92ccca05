import type { Area, MappingStrategy, MaySleep, Point, Sleep, StrategyHooks, VmOps } from "@nopage/core";
import type { FallibleHook, HookCounts } from "../subject/subject.ts";
import { finished } from "./finished.ts";

/** How often the core asked a strategy's hooks, and which of them are to fail the next time. */
export class HookWatch {
  mmaps = 0;
  opens = 0;
  closes = 0;
  faults = 0;
  readonly #failing = new Map<FallibleHook, number>();
  readonly #watched = new WeakSet<VmOps>();

  get counts(): HookCounts {
    const { mmaps, opens, closes, faults } = this;
    return { mmaps, opens, closes, faults };
  }

  /** Whether operations are watched already. */
  knows(ops: VmOps): boolean {
    return this.#watched.has(ops);
  }

  know(ops: VmOps): void {
    this.#watched.add(ops);
  }

  /** The next call of the hook answers with the negated errno instead of asking the strategy. */
  failNext(hook: FallibleHook, errno: number): void {
    this.#failing.set(hook, errno);
  }

  /** Whether a hook is to fail the next time. */
  isToFail(hook: FallibleHook): boolean {
    return this.#failing.has(hook);
  }

  /** The errno that a hook is to fail with now; undefined when it is not to. */
  failureOf(hook: FallibleHook): number | undefined {
    const errno = this.#failing.get(hook);
    this.#failing.delete(hook);
    return errno;
  }
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
  const hooks = watchedHooks(bound(ops), watch);
  const watched = Object.isExtensible(ops) ? ops : { ...ops };
  if (watched === ops) watch.know(ops);
  return Object.defineProperties(watched, Object.getOwnPropertyDescriptors(hooks));
}

/** The operations as they are now, whatever becomes of the object, each still called on it. */
function bound(ops: VmOps): VmOps {
  const { name, open, close, nopage, nopagePfn, mkwrite, maySplit, mremap, mprotect, access } = ops;
  return {
    name,
    ...(open !== undefined && { open: open.bind(ops) }),
    ...(close !== undefined && { close: close.bind(ops) }),
    ...(nopage !== undefined && { nopage: nopage.bind(ops) }),
    ...(nopagePfn !== undefined && { nopagePfn: nopagePfn.bind(ops) }),
    ...(mkwrite !== undefined && { mkwrite: mkwrite.bind(ops) }),
    ...(maySplit !== undefined && { maySplit: maySplit.bind(ops) }),
    ...(mremap !== undefined && { mremap: mremap.bind(ops) }),
    ...(mprotect !== undefined && { mprotect: mprotect.bind(ops) }),
    ...(access !== undefined && { access: access.bind(ops) }),
  };
}

/** Hooks of which some may be there only at times. */
type WatchingHooks = { readonly [K in keyof VmOps]?: VmOps[K] | undefined };

function watchedHooks(ops: VmOps, watch: HookWatch): WatchingHooks {
  const { nopage, nopagePfn, mkwrite, access } = ops;
  const askedToWrite: VmOps["mkwrite"] = (fault) => {
    if (watch.failureOf("mkwrite") !== undefined) return { kind: "sigbus" };
    return mkwrite === undefined ? { kind: "installed" } : mkwrite.call(ops, fault);
  };
  return {
    name: ops.name,
    open: (area) => {
      watch.opens++;
      return ops.open?.(area);
    },
    close: (area) => {
      watch.closes++;
      return ops.close?.(area);
    },
    maySplit: (area, address) => refusal(watch, "may-split") ?? ops.maySplit?.(area, address) ?? 0,
    mremap: (area: Area) => refusal(watch, "mremap") ?? ops.mremap?.(area) ?? 0,
    mprotect: (area, start, end, flags) =>
      refusal(watch, "mprotect") ?? ops.mprotect?.(area, start, end, flags) ?? 0,
    // Its mere presence makes the first store to every page fault.
    get mkwrite() {
      return mkwrite !== undefined || watch.isToFail("mkwrite") ? askedToWrite : undefined;
    },
    ...(nopage !== undefined && {
      nopage: (fault) => {
        watch.faults++;
        return nopage.call(ops, fault);
      },
    }),
    ...(nopagePfn !== undefined && {
      nopagePfn: (fault) => {
        watch.faults++;
        return nopagePfn.call(ops, fault);
      },
    }),
    ...(access !== undefined && {
      access: (area, address, buffer, direction) => access.call(ops, area, address, buffer, direction),
    }),
  };
}

function refusal(watch: HookWatch, hook: FallibleHook): number | undefined {
  const errno = watch.failureOf(hook);
  return errno === undefined ? undefined : -errno;
}
