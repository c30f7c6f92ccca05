import {
  ContractViolation,
  type DeviceFollower,
  type DeviceMirror,
  definePinningPolicy,
  EAGAIN,
  EFAULT,
  isError,
  type Pinned,
  type PinningPolicy,
  type Sleepable,
  type UserAddress,
} from "@nopage/core/contract";
import { intervalMirror } from "./interval-mirror.ts";
import { notifierMirror } from "./notifier-mirror.ts";

/** How often a page behind a closed gate is tried, and the pause in virtual ns. */
const MOST_TRIES = 10;
const PAUSE_NS = 1000;

/**
 * No pin at all: the device follows the process and faults where it has no translation. What the process unmaps is gone
 * for the device too, after a fork it stays with the process that began the transfer, and it stops before a dying
 * process loses its first page.
 *
 * That it survives munmap and exit says that nobody else's memory is touched; the transfer itself is cut short, with the bytes
 * moved so far or -EFAULT, since there is nothing left to write to.
 *
 * A pin waits for closed gates, of a file that is being truncated say, as long as for some tries and no longer, since the gate
 * may be the device's own; then it is -EFAULT, and never the -EAGAIN that a driver's caller takes for a busy device.
 */
export const noneNotifier: PinningPolicy = followInstead("none-notifier", notifierMirror);

/** The same with a sequence number for each buffer, so that the rest of the process does not hold a transfer up. */
export const noneInterval: PinningPolicy = followInstead("none-interval", intervalMirror);

function followInstead(name: string, mirror: DeviceMirror): PinningPolicy {
  return definePinningPolicy({
    name,
    supports: {
      holdsBy: "notifier",
      survives: ["munmap", "fork", "exit"],
      survivesOnLegacy: ["munmap", "fork", "exit"],
      coherentAfterFork: true,
      onDeath: "device-stopped-first",
      charged: false,
    },
    create(kernel) {
      const hooks = mirror.create(kernel);
      const { pageSize } = kernel.geometry;
      const outstanding = new Set<Pinned>();
      return {
        *pin(mm, start, pages, access, stop = () => {}): Sleepable<Pinned | number> {
          const range = { start, end: (start + pages * pageSize) as UserAddress };
          const follower = yield* hooks.follow({ mm, ranges: [range], stop });
          if (typeof follower === "number") return follower;
          // A buffer that is not there is refused now, and not in the middle of a transfer.
          const made = yield* populateAll(follower, range, access === "device-writes" ? "write" : "read");
          if (isError(made)) {
            yield* follower.detach();
            return made;
          }
          const pinned: Pinned = { mm, start, pages: [], follower, access };
          outstanding.add(pinned);
          return pinned;
        },

        *unpin(pinned): Sleepable<void> {
          if (!outstanding.delete(pinned)) {
            throw new ContractViolation(name, "unpin", "was given a token that is not out", undefined);
          }
          if (pinned.follower !== undefined) yield* pinned.follower.detach();
        },
      };

      function* populateAll(
        follower: DeviceFollower,
        { start, end }: { readonly start: UserAddress; readonly end: UserAddress },
        access: "read" | "write",
      ): Sleepable<number> {
        for (let at = start; at < end; at = (at + pageSize) as UserAddress) {
          const made = yield* populate(follower, at, access);
          if (made !== 0) return made;
        }
        return 0;
      }

      function* populate(
        follower: DeviceFollower,
        at: UserAddress,
        access: "read" | "write",
      ): Sleepable<number> {
        for (let tries = 0; tries < MOST_TRIES; tries++) {
          if (tries > 0) yield* kernel.time.sleep(PAUSE_NS);
          const made = yield* follower.populate(at, access);
          if (made !== -EAGAIN) return made;
        }
        return -EFAULT;
      }
    },
  });
}
