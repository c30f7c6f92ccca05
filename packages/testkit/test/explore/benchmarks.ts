import type { PlainProgram } from "#src/explore/program/plain-program";

// The published benchmarks of dynamic partial-order reduction, in the words of their authors.

export const storeBuffer: PlainProgram = ({ variable, thread }) => {
  const [x, y] = [variable(0), variable(0)];
  const seen = [-1, -1];
  thread(function* () {
    yield* x.write(1);
    seen[0] = yield* y.read();
  });
  thread(function* () {
    yield* y.write(1);
    seen[1] = yield* x.read();
  });
  return () => seen;
};

export const messagePassing: PlainProgram = ({ variable, thread }) => {
  const [x, y] = [variable(0), variable(0)];
  const seen: number[] = [];
  thread(function* () {
    yield* x.write(1);
    yield* y.write(1);
  });
  thread(function* () {
    seen.push(yield* y.read());
    seen.push(yield* x.read());
  });
  return () => seen;
};

export const independentReads: PlainProgram = ({ variable, thread }) => {
  const [x, y] = [variable(0), variable(0)];
  const seen: number[][] = [[], []];
  thread(function* () {
    yield* x.write(1);
  });
  thread(function* () {
    yield* y.write(1);
  });
  for (const [index, order] of [
    [x, y],
    [y, x],
  ].entries()) {
    thread(function* () {
      for (const variable of order) seen[index]?.push(yield* variable.read());
    });
  }
  return () => seen;
};

export const deadlock: PlainProgram = ({ lock, thread }) => {
  const [a, b] = [lock(), lock()];
  for (const [first, second] of [
    [a, b],
    [b, a],
  ] as const) {
    thread(function* () {
      yield* first.lock();
      yield* second.lock();
      second.unlock();
      first.unlock();
    });
  }
  return () => "done";
};

export const readers =
  (count: number): PlainProgram =>
  ({ variable, thread }) => {
    const x = variable(0);
    const seen: number[] = [];
    thread(function* () {
      yield* x.write(1);
    });
    for (let reader = 0; reader < count; reader++) {
      thread(function* () {
        seen[reader] = yield* x.read();
      });
    }
    return () => seen;
  };

export const lastZero =
  (size: number): PlainProgram =>
  ({ variable, thread }) => {
    const array = Array.from({ length: size + 1 }, () => variable(0));
    const at = (index: number) => array[index] as (typeof array)[0];
    let found = -1;
    thread(function* () {
      let index = size;
      while ((yield* at(index).read()) !== 0) index--;
      found = index;
    });
    for (let writer = 1; writer <= size; writer++) {
      thread(function* () {
        const before = yield* at(writer - 1).read();
        yield* at(writer).write(before + 1);
      });
    }
    return () => [found, ...array.map(({ value }) => value)];
  };

export const indexer =
  (count: number): PlainProgram =>
  ({ variable, thread }) => {
    const slots = Array.from({ length: 128 }, () => variable(0));
    for (let number = 0; number < count; number++) {
      thread(function* () {
        for (let i = 1; i <= 4; i++) {
          const word = i * 11 + number;
          let slot = (word * 7) % 128;
          while (!(yield* (slots[slot] as (typeof slots)[0]).compareAndSwap(0, word)))
            slot = (slot + 1) % 128;
        }
      });
    }
    return () => slots.map(({ value }) => value);
  };

export const fileSystem =
  (count: number): PlainProgram =>
  ({ variable, lock, thread }) => {
    const [inodes, blocks] = [32, 26];
    const inodeLocks = Array.from({ length: inodes }, () => lock());
    const blockLocks = Array.from({ length: blocks }, () => lock());
    const inode = Array.from({ length: inodes }, () => variable(0));
    const busy = Array.from({ length: blocks }, () => variable(false));
    for (let number = 0; number < count; number++) {
      thread(function* () {
        const i = number % inodes;
        const inodeLock = inodeLocks[i] as (typeof inodeLocks)[0];
        const own = inode[i] as (typeof inode)[0];
        yield* inodeLock.lock();
        if ((yield* own.read()) === 0) {
          let b = (i * 2) % blocks;
          for (;;) {
            const blockLock = blockLocks[b] as (typeof blockLocks)[0];
            const isBusy = busy[b] as (typeof busy)[0];
            yield* blockLock.lock();
            if (!(yield* isBusy.read())) {
              yield* isBusy.write(true);
              yield* own.write(b + 1);
              blockLock.unlock();
              break;
            }
            blockLock.unlock();
            b = (b + 1) % blocks;
          }
        }
        inodeLock.unlock();
      });
    }
    return () => inode.map(({ value }) => value);
  };

/** n threads that each add 1 to the same variables in one step each, seeing what they find. */
export const increments =
  (count: number, variables: number): PlainProgram =>
  ({ variable, thread }) => {
    const all = Array.from({ length: variables }, () => variable(0));
    for (let number = 0; number < count; number++) {
      thread(function* () {
        for (const one of all) yield* one.update((value) => value + 1);
      });
    }
    return () => all.map(({ value }) => value);
  };

export const counting =
  (count: number): PlainProgram =>
  ({ counter, thread }) => {
    const all = counter();
    for (let number = 0; number < count; number++) {
      thread(function* () {
        yield* all.add(1);
      });
    }
    return () => all.value;
  };

export const casRotation =
  (count: number): PlainProgram =>
  ({ variable, thread }) => {
    const x = variable(0);
    for (let number = 0; number < count; number++) {
      thread(function* () {
        yield* x.compareAndSwap(number, number + 1);
      });
    }
    return () => x.value;
  };

export const lockedIncrements =
  (count: number): PlainProgram =>
  ({ variable, lock, thread }) => {
    const [x, guard] = [variable(0), lock()];
    for (let number = 0; number < count; number++) {
      thread(function* () {
        yield* guard.lock();
        const before = yield* x.read();
        yield* x.write(before + 1);
        guard.unlock();
      });
    }
    return () => x.value;
  };
