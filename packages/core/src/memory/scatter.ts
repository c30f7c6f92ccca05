/**
 * Puts frame numbers, all different, into a fixed order in which none follows the one before it: no `frames[i + 1]`
 * is `frames[i] + 1`. The same set of frames always gives the same order.
 */
export function scatter(frames: Int32Array): void {
  frames.sort();
  const ascending = frames.slice();
  const last = ascending.length - 1;
  if (last < 3) {
    frames.reverse();
    return;
  }
  // Every second one downwards, then those left out downwards: steps of two, and one jump over at least three.
  let at = 0;
  for (let from = last & ~1; from >= 0; from -= 2) frames[at++] = ascending[from];
  for (let from = (last - 1) | 1; from >= 0; from -= 2) frames[at++] = ascending[from];
}
