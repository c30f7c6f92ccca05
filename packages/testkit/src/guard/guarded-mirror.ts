import {
  type DeviceFollower,
  type DeviceMirror,
  isGenerator,
  type Machine,
  type MirrorHooks,
  type Point,
  type Sleep,
} from "@nopage/core";
import { blamed } from "./blamed.ts";
import { freezeClaims, nothing, requestAsHanded } from "./handed.ts";
import { HookGuard } from "./hook-guard.ts";
import { checkFunctions, hooksOf, inWords } from "./hooks-of.ts";

const followerHooks = ["translate", "populateAtomic", "populate", "detach"] as const;

/** The same mirror with every call of its hooks, and of its followers' hooks, looked at. */
export function guardedMirror(mirror: DeviceMirror, machine: Machine): DeviceMirror {
  freezeClaims(mirror.supports);
  const guard = new HookGuard(mirror.name, machine);
  return {
    name: mirror.name,
    supports: mirror.supports,
    create(kernel): MirrorHooks {
      const hooks = hooksOf(guard, () => mirror.create(kernel), ["follow"], []);
      return {
        *follow(request) {
          const follower = yield* stepsOf(guard, "follow", () =>
            guard.call("follow", requestAsHanded(request), () => hooks.follow(request)),
          );
          if (typeof follower === "number") {
            if (Number.isInteger(follower) && follower < 0) return follower;
            throw guard.breach("follow", `answered ${follower}, which is no negated errno`);
          }
          checkFunctions(guard, "follow", follower, followerHooks, ["accessed"]);
          return guardedFollower(follower, guard);
        },
      };
    },
  };
}

/** The same follower, its hooks guarded in place: a mirror may know its own followers. */
function guardedFollower(follower: DeviceFollower, guard: HookGuard): DeviceFollower {
  if (!Object.isExtensible(follower)) return follower;
  const { populateAtomic, populate, detach } = follower;
  const guarded: Pick<DeviceFollower, "populateAtomic" | "populate" | "detach"> = {
    populateAtomic: (address, access) =>
      stepsOf(guard, "populateAtomic", () =>
        guard.call("populateAtomic", nothing, () => populateAtomic.call(follower, address, access)),
      ),
    populate: (address, access) =>
      stepsOf(guard, "populate", () =>
        guard.call("populate", nothing, () => populate.call(follower, address, access)),
      ),
    detach: () => stepsOf(guard, "detach", () => guard.call("detach", nothing, () => detach.call(follower))),
  };
  return Object.defineProperties(follower, Object.getOwnPropertyDescriptors(guarded));
}

/** A hook that has to answer with a generator. */
function* stepsOf<T, Y extends Point | Sleep>(
  guard: HookGuard,
  hook: string,
  call: () => T | Generator<Y, T, void>,
): Generator<Y, T, void> {
  return yield* blamed(guard, hook, function* () {
    const answer = call();
    if (!isGenerator(answer)) throw guard.breach(hook, `answered ${inWords(answer)} instead of a generator`);
    return yield* answer;
  });
}
