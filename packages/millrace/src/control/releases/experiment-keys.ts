import type { RampEffect } from "../../core/release/ramp-state.ts";
import type { WantedKey } from "./effect-change.ts";
import type { ReportedExperiment } from "./traffic-report.ts";

/** The live keys that a ramp sets. @param effect undefined wants nothing; parts of it want nothing of the others. */
export function experimentKeys(
  { service, config, file }: ReportedExperiment,
  effect: Partial<RampEffect>,
): readonly WantedKey[] {
  const base = `services.${service}.traffic.experiment`;
  const wantedOf = (key: keyof RampEffect): WantedKey["wanted"] =>
    key in effect ? { kind: "value", value: effect[key] } : { kind: "file" };
  return [
    {
      path: `${base}.coverage`,
      wanted: wantedOf("coverage"),
      inForce: config.coverage,
      file: file.coverage,
    },
    {
      path: `${base}.active`,
      wanted: wantedOf("isActive"),
      inForce: config.isActive,
      file: file.isActive,
    },
    {
      path: `${base}.winner`,
      wanted: wantedOf("winner"),
      inForce: config.winner,
      file: file.winner,
    },
  ];
}
