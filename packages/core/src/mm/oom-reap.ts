import { VM_PFNMAP } from "../contract/area-flags.ts";
import { EAGAIN } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import { Gather } from "./gather.ts";
import type { Mm } from "./mm.ts";
import { clearEntries } from "./zap.ts";

/**
 * Takes private memory away from a process that is dying for lack of memory, without waiting for anybody (`__oom_reap_task_mm`):
 * the one caller whose notifier range may not block. Areas that a follower cannot let go of at once are left.
 *
 * @returns 0, or -EAGAIN when the mmap lock was taken or an area was left: the reaper comes again
 */
export function* oomReap(mm: Mm): Sleepable<number> {
  if (!(yield* mm.lock.tryRead())) return -EAGAIN;
  let result = 0;
  for (const area of mm.areas.all()) {
    if ((area.flags & VM_PFNMAP) !== 0 || (area.isShared && !area.isAnonymous)) continue;
    const range = yield* mm.notifiers.tryBegin(area.start, area.end, "unmap");
    if (range === "refused") {
      result = -EAGAIN;
      continue;
    }
    const gather = new Gather(mm);
    yield* clearEntries(area, area.start, area.end, "even-cows", gather);
    yield* mm.notifiers.end(range);
    yield* gather.finish();
  }
  mm.lock.unlockRead();
  return result;
}
