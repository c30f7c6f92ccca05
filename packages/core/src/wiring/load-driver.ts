import type { DeviceDriver, DriverContext, LoadedDriver } from "../contract/device-driver.ts";
import { errnoName } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import type { Machine } from "../machine.ts";
import { isGenerator } from "../sched/is-generator.ts";
import { CompositionError } from "./composition-error.ts";
import { runTask } from "./run-task.ts";

/**
 * Loads a driver as `insmod` would: in a kernel thread of the machine, run to its end.
 *
 * @throws CompositionError when the driver answers with an errno, throws, or never ends
 */
export function loadDriver(
  machine: Machine,
  driver: DeviceDriver,
  context: DriverContext<unknown>,
): LoadedDriver {
  const ended = runTask(machine, `load ${driver.name}`, function* (): Sleepable<LoadedDriver | number> {
    const answer = driver.load(context);
    return isGenerator(answer) ? yield* answer : answer;
  });
  if (ended.kind === "threw") {
    const { cause } = ended;
    throw cause instanceof RangeError
      ? unfit(context, driver, cause)
      : failed(context, driver, String(cause), cause);
  }
  if (ended.kind === "stuck") throw failed(context, driver, `it never ended: ${ended.waiting}`);
  const { result } = ended;
  if (typeof result === "number") throw failed(context, driver, `it answered -${errnoName(result)}`);
  if (typeof result?.unload !== "function" || typeof result.path !== "string") {
    throw failed(context, driver, "it answered with no loaded driver");
  }
  return result;
}

/** A driver says with a RangeError that it was given options that it cannot work with. */
function unfit(
  { options }: DriverContext<unknown>,
  { name }: DeviceDriver,
  cause: RangeError,
): CompositionError {
  const expected = `options that ${name} can work with, but ${cause.message}`;
  return new CompositionError(
    [{ path: "device.options", value: options, expected, nearest: undefined }],
    cause,
  );
}

function failed(
  { strategy, pinning }: DriverContext<unknown>,
  { name }: DeviceDriver,
  what: string,
  cause?: unknown,
): CompositionError {
  const expected = `a driver that loads with ${strategy.name} and ${pinning.name} on this machine, but ${what}`;
  return new CompositionError([{ path: "device", value: name, expected, nearest: undefined }], cause);
}
