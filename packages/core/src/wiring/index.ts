/** Composing a world by configuration: the plugins by name, and a container for each machine. */
export { canShow, checkSettings } from "./check-settings.ts";
export { compose } from "./compose.ts";
export { CompositionError } from "./composition-error.ts";
export { describeLeak, type Leak } from "./leak-report.ts";
export { machineShape } from "./machine-shape.ts";
export type { NamedPlugins } from "./named-plugins.ts";
export { nearestName } from "./nearest.ts";
export { PluginError, type Rejection } from "./plugin-error.ts";
export type { Plugin, PluginKind } from "./plugin-kind.ts";
export { PluginRegistry } from "./plugin-registry.ts";
export { anyOf, describeProblem, type Problem, showValue } from "./problem.ts";
export { type Token, tokens } from "./tokens.ts";
export type { World } from "./world.ts";
export type { DeviceSettings, WorldSettings } from "./world-settings.ts";
