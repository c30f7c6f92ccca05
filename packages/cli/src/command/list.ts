import { type Geometry, geometries } from "@nopage/core";
import type { PluginRegistry } from "@nopage/core/wiring";
import pc from "picocolors";
import { builtInRegistry } from "../built-in-plugins.ts";
import type { Flags } from "../config/flags.ts";
import { readConfiguration } from "../config/read-configuration.ts";
import { type Column, sideBySide } from "../report/side-by-side.ts";
import { UsageError } from "../usage-error.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import type { Output } from "./output.ts";

/** Something that can be chosen by name. */
interface Entry {
  readonly name: string;
  readonly supports: Readonly<Record<string, unknown>>;
}

export type Listing = Readonly<
  Record<"strategies" | "mirrors" | "pinning" | "devices" | "geometries", readonly Entry[]>
>;

/** `nopage list`: everything that a configuration can name, with what it supports. */
export async function list(flags: Flags, format: "table" | "json", output: Output): Promise<ExitCode> {
  const registry = builtInRegistry();
  const { problems } = await readConfiguration(output.directory, flags, registry);
  if (problems.length > 0) throw new UsageError(problems);
  const listing = makeListing(registry);
  output.print(
    format === "json" ? `${JSON.stringify(listing, null, 2)}\n` : asTables(listing, output.columns),
  );
  return exitCodes.holds;
}

function makeListing({ strategies, mirrors, pinning, devices }: PluginRegistry): Listing {
  const entry = ({ name, supports }: { readonly name: string; readonly supports: object }): Entry => ({
    name,
    supports: { ...supports },
  });
  return {
    strategies: strategies.all().map(entry),
    mirrors: mirrors.all().map(entry),
    pinning: pinning.all().map(entry),
    devices: devices.all().map(entry),
    geometries: Object.values(geometries).map((geometry) => ({
      name: geometry.name,
      supports: geometrySupports(geometry),
    })),
  };
}

function geometrySupports(geometry: Geometry): Readonly<Record<string, unknown>> {
  const { pageSize, levelNames, leafLevels, bitsPerLevel, physicalBits, virtuallyIndexedCache } = geometry;
  const bytesAt = (level: number) =>
    bitsPerLevel.slice(0, level).reduce((bytes, bits) => bytes * 2 ** bits, pageSize);
  return {
    pageSize,
    levels: levelNames,
    largeLeaves: leafLevels.filter((level) => level > 0).map(bytesAt),
    physicalBits,
    virtuallyIndexedCache,
  };
}

const titles: Readonly<Record<keyof Listing, string>> = {
  strategies: "Mapping strategies",
  mirrors: "Mirrors",
  pinning: "Pinning policies",
  devices: "Devices",
  geometries: "Geometries",
};

function asTables(listing: Listing, width: number | undefined): string {
  const sections = (Object.keys(titles) as (keyof Listing)[]).map((section) => {
    const entries = listing[section];
    const labels = [...new Set(entries.flatMap(({ supports }) => Object.keys(supports)))];
    const columns = entries.map(
      ({ name, supports }): Column => ({
        title: name,
        cells: labels.map((label) => showSupport(label, supports[label])),
      }),
    );
    return `${pc.underline(titles[section])}\n${sideBySide(labels, columns, width)}`;
  });
  return `${sections.join("\n")}`;
}

function showSupport(label: string, value: unknown): string {
  if (value === true) return "yes";
  if (value === false) return "no";
  if (Array.isArray(value)) return value.map((item) => showSupport(label, item)).join(", ") || "none";
  const isSize = typeof value === "number" && (label === "pageSize" || label === "largeLeaves");
  return isSize ? showSize(value) : String(value);
}

function showSize(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  const unit = Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${bytes / 1024 ** unit} ${units[unit]}`;
}
