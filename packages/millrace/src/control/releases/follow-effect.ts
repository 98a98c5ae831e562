import type { RampEffect } from "../../core/release/ramp-state.ts";
import type { OverrideChanges } from "../override-changes.ts";
import { effectChange, RAMP, type MadeEffect } from "./effect-change.ts";
import { experimentKeys } from "./experiment-keys.ts";
import type { ReportedExperiment } from "./traffic-report.ts";

export interface WantedEffect {
  readonly reported: ReportedExperiment;
  /** Of the overrides that are in `reported`. */
  readonly overrideVersion: number;
  /** What is not named is the file's. */
  readonly effect: Partial<RampEffect>;
  /** As it was when all was as wanted; undefined takes the keys, whoever has them. */
  readonly made: MadeEffect | undefined;
  /** Has somebody taken the keys? Then nothing is changed. */
  readonly isTaken: boolean;
  readonly reason: string;
}

export type EffectOutcome =
  /** What is in force is not known, a change is on its way; or the keys are left to who has them. */
  | { readonly kind: "unknown" }
  /** All is as wanted. */
  | { readonly kind: "made"; readonly made: MadeEffect }
  /** Somebody has changed a key by hand. */
  | { readonly kind: "taken"; readonly by: string; readonly why: string };

/** Brings the live keys of an experiment to what is wanted, in one change. @throws what a change of overrides throws. */
export async function followEffect(
  { reported, overrideVersion, effect, made, isTaken, reason }: WantedEffect,
  changes: OverrideChanges,
): Promise<EffectOutcome> {
  if (overrideVersion !== changes.state.version) return { kind: "unknown" };
  const change = effectChange(experimentKeys(reported, effect), changes.state, made);
  switch (change.kind) {
    case "none":
      return { kind: "made", made: madeBy(reported, changes) };
    case "taken": {
      const { key, by: override } = change;
      const [event] = await changes.history({ path: key.path, limit: 1 });
      const by = override?.by ?? event?.by ?? "somebody";
      const what = override === undefined ? "unset" : `set to ${JSON.stringify(override.value)}`;
      return { kind: "taken", by, why: `${key.path} was ${what} by ${by}` };
    }
    case "change": {
      if (isTaken) return { kind: "unknown" };
      const facts = { by: RAMP, reason, versionBefore: overrideVersion };
      await changes.change({ set: change.set, unset: change.unset, forMs: undefined }, facts);
      return { kind: "made", made: madeBy(reported, changes) };
    }
  }
}

/** Which of the keys are the ramp's now. */
function madeBy(reported: ReportedExperiment, changes: OverrideChanges): MadeEffect {
  const { version, overrides } = changes.state;
  const paths = new Set(experimentKeys(reported, {}).map(({ path }) => path));
  const own = overrides.filter(({ by, path }) => by === RAMP && paths.has(path));
  return { version, paths: own.map(({ path }) => path) };
}
