import {
  type DeviceFollower,
  defineMirror,
  ENOMEM,
  type FollowRequest,
  type Kernel,
  type Sleepable,
} from "@nopage/core/contract";
import { FOLLOWER_BYTES, ListFollower } from "./list-follower.ts";
import { MirroredMemory } from "./mirrored-memory.ts";

/**
 * The 2008 skeleton, put right: the device follows the whole process with one lock and one count of invalidations
 * under way.
 */
export const notifierMirror = defineMirror({
  name: "notifier-mirror",
  supports: { accessor: "device", forms: ["atomic", "sleeping"], holdsOff: "whole-mm" },
  create: (kernel) => ({ follow: (request) => follow(kernel, request) }),
});

function* follow(kernel: Kernel, request: FollowRequest): Sleepable<DeviceFollower | number> {
  const own = kernel.memory.kmalloc.kzalloc(FOLLOWER_BYTES);
  if (own === undefined) return -ENOMEM;
  const follower = new ListFollower(new MirroredMemory(kernel, request, "notifier-mirror"), own);
  const registered = yield* kernel.mappings.registerNotifier(request.mm, follower);
  if (registered === 0) return follower;
  kernel.memory.kmalloc.kfree(own);
  return registered;
}
