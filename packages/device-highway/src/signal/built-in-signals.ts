/** A recording that comes with this package. */
export interface BuiltInSignal {
  /** The name by which it is asked for. */
  readonly name: string;
  /** Where the file lies; its format shows by its extension. */
  readonly file: URL;
  /** What was recorded, in one sentence. */
  readonly description: string;
  /** The data set it was taken from, and the package by which that is published. */
  readonly origin: string;
  /** Licence of the data, as an SPDX identifier. */
  readonly licence: string;
}

// The data folder is beside both src and dist, so the same relative path holds before and after the build.
const dataFolder = new URL("../../data/", import.meta.url);

/** The recordings that come with this package, one a format; data/README.md tells the whole of their origin. */
export const builtInSignals: readonly BuiltInSignal[] = [
  {
    name: "guitar",
    file: new URL("guitar.wav", dataFolder),
    description: "Harmonics of a guitar: the first 65,536 samples (1.49 s, 128 KiB), mono, 44,100 Hz.",
    origin: "Freesound 141524 by BStateham, through Sonic Pi and npm supersonic-scsynth-samples 0.84.2",
    licence: "CC0-1.0",
  },
  {
    name: "co2",
    file: new URL("co2.csv", dataFolder),
    description: "Monthly CO2 at Mauna Loa, 1958 to 2020, in ppm: as measured, and seasonally adjusted.",
    origin: "Scripps CO2 Program, through npm vega-datasets 3.2.1 (co2-concentration.csv)",
    licence: "CC-BY-4.0",
  },
];

/** The signal that a run takes when none is named. */
export const defaultSignalName = "guitar";
