import type { ExperimentConfig } from "../../config/experiment-config.ts";
import type { ExperimentAnalysis } from "../../core/experiment/experiment-report.ts";
import { fitRamp } from "../../core/release/fit-ramp.ts";
import type { RampPlan } from "../../core/release/ramp-plan.ts";
import type { RampState } from "../../core/release/ramp-state.ts";
import { unrampedPlan } from "../../core/release/unramped-plan.ts";
import type { MadeEffect } from "./effect-change.ts";

/** What is kept of an experiment: plain JSON. */
export interface ExperimentState {
  readonly phase: number;
  readonly ramp: RampState;
  /** When the evidence began, milliseconds since 1970-01-01 UTC. */
  readonly sinceMs: number;
  /** Of the steps that `ramp` is of; null without a ramp. */
  readonly coverages: readonly number[] | null;
  readonly analysis: ExperimentAnalysis | undefined;
  /** What the latest decision but `keep_running` was made of. */
  readonly decided: ExperimentAnalysis | undefined;
  /** Undefined until all is as the ramp wants it. */
  readonly made: MadeEffect | undefined;
  /** Who has changed the live keys by hand, in words; then the ramp leaves them alone. */
  readonly takenBy: string | undefined;
  /** Has the time of grace passed without data? */
  readonly isSilent: boolean;
}

/** An experiment whose evidence begins now, in words why. */
export function beginning(
  config: ExperimentConfig,
  { phase, sinceMs }: Pick<ExperimentState, "phase" | "sinceMs">,
  why: string,
): ExperimentState {
  return {
    phase,
    sinceMs,
    ramp: { kind: "pending", why },
    coverages: coveragesOf(config),
    analysis: undefined,
    decided: undefined,
    made: undefined,
    takenBy: undefined,
    isSilent: false,
  };
}

/** How the experiment is to go; without a ramp in the file it stays where it is. */
export function planOf(config: ExperimentConfig): RampPlan {
  const { onRegression, onMismatch } = config;
  return { ...(config.ramp ?? unrampedPlan(config.coverage)), onRegression, onMismatch };
}

/** Coverages as `ExperimentState` keeps them. */
function coveragesOf({ ramp }: ExperimentConfig): readonly number[] | null {
  return ramp === undefined ? null : ramp.steps.map(({ coverage }) => coverage);
}

/** The state for a configuration whose steps may have changed. */
export function fitState(
  state: ExperimentState,
  config: ExperimentConfig,
  nowMs: number,
): ExperimentState {
  const coverages = coveragesOf(config);
  const ramp = fittedRamp(state, config, nowMs);
  return ramp === state.ramp && isSame(coverages, state.coverages)
    ? state
    : { ...state, ramp, coverages };
}

function fittedRamp(
  { ramp, coverages }: ExperimentState,
  config: ExperimentConfig,
  nowMs: number,
): RampState {
  if (ramp.kind !== "running" && ramp.kind !== "paused") return ramp;
  if (coverages !== null && config.ramp !== undefined) {
    return fitRamp(ramp, coverages, planOf(config), nowMs);
  }
  if (config.ramp !== undefined) return { kind: "pending", why: "the file has a ramp since" };
  return ramp.step === 0 ? ramp : { ...ramp, step: 0 };
}

function isSame(a: readonly number[] | null, b: readonly number[] | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
