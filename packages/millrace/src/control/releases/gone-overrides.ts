import type { OverrideState, StoredOverride } from "../../ports/override-store.ts";
import { RAMP } from "./effect-change.ts";
import type { TrafficReport } from "./traffic-report.ts";

/** Whose exclusions those of verdicts are. */
export const VERDICT = "verdict";

/** Overrides that a ramp or a verdict has made of an experiment or a shadow that is there no longer. */
export function goneOverrides(
  { experiments, shadows }: Pick<TrafficReport, "experiments" | "shadows">,
  { overrides }: OverrideState,
): readonly StoredOverride[] {
  const known = new Set([
    ...experiments.flatMap(({ service }) =>
      ["coverage", "active", "winner"].map((key) => `${trafficOf(service)}.experiment.${key}`),
    ),
    ...shadows.map(({ service, config }) => `${trafficOf(service)}.excluded.${config.name}`),
  ]);
  return overrides.filter(({ by, path }) => (by === RAMP || by === VERDICT) && !known.has(path));
}

function trafficOf(service: string): string {
  return `services.${service}.traffic`;
}
