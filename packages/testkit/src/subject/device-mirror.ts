import type { DeviceAccess, MirrorSupports } from "@nopage/core";
import type { Steps } from "../program/operation.ts";

/** How the last followed process that died was let go of, as the device's driver saw it. */
export interface LetGo {
  /** How often the device was told to stop. */
  readonly stops: number;
  /** Pages of what it followed that the device had a translation for when it was told to stop. */
  readonly reachedAtStop: number;
  /** The same once the process was gone, before the driver stopped following. */
  readonly reachedLater: number;
  /** What the two forms of populating answer then. */
  readonly populate: number;
  readonly populateNow: number;
  /** What following the dead process anew answers. */
  readonly followAgain: number;
}

/**
 * A device's own translations, step by step. The process is the calling one if it is followed, else the one that was
 * followed last: a device works on when nobody of the process is in its driver.
 */
export interface SubjectMirror {
  readonly forms: MirrorSupports["forms"];
  readonly holdsOff: MirrorSupports["holdsOff"];
  /** Whether the device has a translation that allows the access; nobody makes one for it. */
  reaches(address: number, access: DeviceAccess): Steps<boolean>;
  /** The driver makes a translation, waiting if need be: 0 or a negated errno. */
  populate(address: number, access: DeviceAccess): Steps<number>;
  /** The same without waiting. */
  populateNow(address: number, access: DeviceAccess): Steps<number>;
  /** Stops following the process. */
  unfollow(): Steps<void>;
  /** Undefined while no followed process has died. */
  letGo(): Steps<LetGo | undefined>;
}
