import { mustSucceed, type Pinner, type Steps, user } from "@nopage/testkit/executor";
import type { SubjectDefinition } from "../subject/lab-subject.ts";
import { asWord, highway, isErrno } from "./highway-commands.ts";
import { TwinControl } from "./twin-node.ts";

type Pinned = Parameters<Pinner["unpin"]>[0];

/** What a program holds: the number by which the device knows it, and the descriptor that it lives by. */
interface Token extends Pinned {
  readonly number: number;
  readonly descriptor: number;
}

/** A pinning policy in C, with what it promises. */
export interface PinningTwin {
  readonly policy: string;
  readonly supports: Pinner["supports"];
}

/** The policy's device tried on the pages of a mapping twin, which are to be pinned as well. */
export function definePinningTwin(twin: PinningTwin, shown: SubjectDefinition): SubjectDefinition {
  const control = new TwinControl(twin.policy, "pinning");
  return {
    ...shown,
    name: twin.policy,
    trial: "pinning",
    *setUp() {
      yield* control.load();
      yield* control.once(highway.pinEndService);
      // The device counts for as long as its module is loaded, a law from its own beginning.
      const stops = yield* control.once(highway.pinStops);
      return { ...(yield* shown.setUp()), pinner: pinnerOf(control, twin, stops) };
    },
  };
}

/** The policy's device as the laws about pins see it. */
function pinnerOf(control: TwinControl, { policy, supports }: PinningTwin, stopsBefore: number): Pinner {
  return {
    name: policy,
    supports,
    pin: (address, pages, access) => pin(control, address, pages, access),
    *unpin(pinned) {
      const { number, descriptor } = pinned as Token;
      mustSucceed("unpin", yield* user.ioctl(descriptor, highway.pinUnpin, number));
      yield* user.close(descriptor);
    },
    *deviceRead(pinned, page) {
      const seen = yield* control.once(highway.pinDeviceRead, nameOf(pinned, page));
      return isErrno(seen) ? seen : asWord(seen);
    },
    *deviceWrite(pinned, page, value) {
      const descriptor = yield* control.open();
      yield* user.ioctl(descriptor, highway.chooseValue, value);
      const result = yield* user.ioctl(descriptor, highway.pinDeviceWrite, nameOf(pinned, page));
      yield* user.close(descriptor);
      return result;
    },
    held: () => control.once(highway.pinHeld),
    *stops() {
      return (yield* control.once(highway.pinStops)) - stopsBefore;
    },
    quarantined: () => control.once(highway.pinQuarantined),
    *endService() {
      yield* control.once(highway.pinEndService);
    },
  };
}

/** What the driver calls a page of what it holds. */
function nameOf(pinned: Pinned, page: number): number {
  return (pinned as Token).number * 2 ** 16 + page;
}

function* pin(
  control: TwinControl,
  address: number,
  pages: number,
  access: "read" | "write",
): Steps<Token | number> {
  const descriptor = yield* control.open();
  yield* user.ioctl(descriptor, highway.chooseAddress, address);
  const command = access === "write" ? highway.pinForWrite : highway.pinForRead;
  const number = yield* user.ioctl(descriptor, command, pages);
  if (number >= 0) return { number, pages, descriptor };
  yield* user.close(descriptor);
  return number;
}
