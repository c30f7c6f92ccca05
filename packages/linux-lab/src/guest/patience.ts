/** Ticks of a wait. */
const TICKS = 10;

/** A wait that is under way. */
export interface Wait {
  cancel(): void;
}

/**
 * Calls back when so many milliseconds are over, as `setTimeout` does, but counted in ticks: while this process itself is held
 * up, by a compiler that it waits for, say, no more than one of them passes, and what has arrived meanwhile is read first.
 */
export function afterPatience(ms: number, callback: () => void): Wait {
  let left = TICKS;
  let timer: NodeJS.Timeout;
  const tick = (): void => {
    timer = setTimeout(() => {
      left--;
      if (left === 0) callback();
      else tick();
    }, ms / TICKS);
  };
  tick();
  return { cancel: () => clearTimeout(timer) };
}
