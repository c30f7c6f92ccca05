import "reflect-metadata";
import { type DependencyContainer, container as root } from "tsyringe";
import { errnoName } from "../contract/errno.ts";
import { createKernel } from "../kernel.ts";
import { Machine } from "../machine.ts";
import { bind, resolve } from "./bind.ts";
import { checkSettings } from "./check-settings.ts";
import { Closers } from "./closers.ts";
import { CompositionError } from "./composition-error.ts";
import { loadDriver } from "./load-driver.ts";
import type { PluginRegistry } from "./plugin-registry.ts";
import { runTask } from "./run-task.ts";
import { takeStock } from "./stock.ts";
import { tokens } from "./tokens.ts";
import { World } from "./world.ts";
import type { WorldSettings } from "./world-settings.ts";

/**
 * Builds a machine, loads the driver on it with the strategy and the pinning policy that the settings name, and hands
 * the whole over. Worlds share nothing but the plugins.
 *
 * @throws CompositionError with every problem of the settings, or with why the driver did not load; nothing is left
 *   of the attempt
 */
export function compose(settings: WorldSettings, registry: PluginRegistry): World {
  const problems = checkSettings(settings, registry);
  if (problems.length > 0) throw new CompositionError(problems);
  // Nothing is ever registered in the root: it is only the way to a container of one's own.
  const container = root.createChildContainer();
  bindWorld(container, settings, registry);
  try {
    // The container wraps what a constructor's parameter throws, so what may fail is asked for by itself.
    resolve(container, tokens.loaded);
    return resolve(container, tokens.world);
  } catch (failure) {
    resolve(container, tokens.closers).run();
    throw failure;
  }
}

function bindWorld(container: DependencyContainer, settings: WorldSettings, registry: PluginRegistry): void {
  bind(container, tokens.settings, () => settings);
  bind(container, tokens.closers, () => new Closers());
  bind(container, tokens.machine, buildMachine);
  bind(container, tokens.kernel, (own) => createKernel(resolve(own, tokens.machine)));
  bind(container, tokens.strategy, () => registry.strategies.get(settings.strategy));
  bind(container, tokens.pinning, () => registry.pinning.get(settings.pinning));
  bind(container, tokens.driver, () => registry.devices.get(settings.device.name));
  bind(container, tokens.stock, (own) => takeStock(resolve(own, tokens.machine)));
  bind(container, tokens.loaded, buildLoaded);
  container.register(tokens.world as symbol, World);
}

function buildMachine(container: DependencyContainer): Machine {
  const { machine } = resolve(container, tokens.settings);
  try {
    return new Machine(machine);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const expected = `options that a machine can be built from, but ${cause.message}`;
    throw new CompositionError([{ path: "machine", value: machine, expected, nearest: undefined }], cause);
  }
}

function buildLoaded(container: DependencyContainer) {
  const machine = resolve(container, tokens.machine);
  resolve(container, tokens.stock);
  const driver = resolve(container, tokens.driver);
  const loaded = loadDriver(machine, driver, {
    kernel: resolve(container, tokens.kernel),
    strategy: resolve(container, tokens.strategy),
    pinning: resolve(container, tokens.pinning),
    options: resolve(container, tokens.settings).device.options,
  });
  resolve(container, tokens.closers).push(() => {
    const end = runTask(machine, `unload ${driver.name}`, () => loaded.unload());
    if (end.kind === "stuck") machine.violations.report("hung-task", `unload ${driver.name}: ${end.waiting}`);
    else if (end.kind === "done" && end.result !== 0) {
      machine.violations.report("leak", `${driver.name} cannot be unloaded: -${errnoName(end.result)}`);
    }
  });
  return loaded;
}
