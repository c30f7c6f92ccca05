/**
 * Runs what makes results of each item, several items at a time, and hands the results on as they come. When one fails, or
 * nobody wants any more, the others are told to stop (`return`), and waited for.
 */
export async function* inParallel<Item, Result>(
  items: readonly Item[],
  jobs: number,
  run: (items: () => Item | undefined) => AsyncGenerator<Result, void, void>,
): AsyncGenerator<Result, void, void> {
  const rest = [...items];
  const workers = Array.from({ length: Math.min(jobs, items.length) }, () => run(() => rest.shift()));
  const pending = new Map(workers.map((worker) => [worker, nextOf(worker)]));
  try {
    while (pending.size > 0) {
      const { worker, step } = await Promise.race(pending.values());
      if (step.done === true) {
        pending.delete(worker);
        continue;
      }
      pending.set(worker, nextOf(worker));
      yield step.value;
    }
  } finally {
    await Promise.allSettled(workers.map((worker) => worker.return()));
  }
}

async function nextOf<Result>(worker: AsyncGenerator<Result, void, void>) {
  return { worker, step: await worker.next() };
}
