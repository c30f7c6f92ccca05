import {
  type DeviceFollower,
  defineMirror,
  type FollowRequest,
  type Kernel,
  type Sleepable,
} from "@nopage/core/contract";
import { IntervalFollower } from "./interval-follower.ts";
import { MirroredMemory } from "./mirrored-memory.ts";

/** Today's form: a sequence number for each followed range, so that unrelated ranges do not hold each other off. */
export const intervalMirror = defineMirror({
  name: "interval-mirror",
  supports: { accessor: "device", forms: ["atomic", "sleeping"], holdsOff: "range" },
  create: (kernel) => ({ follow: (request) => follow(kernel, request) }),
});

function* follow(kernel: Kernel, request: FollowRequest): Sleepable<DeviceFollower | number> {
  const follower = new IntervalFollower(new MirroredMemory(kernel, request, "interval-mirror"));
  for (const range of request.ranges) {
    const subscribed = yield* follower.subscribe(range);
    if (subscribed === 0) continue;
    yield* follower.detach();
    return subscribed;
  }
  return follower;
}
