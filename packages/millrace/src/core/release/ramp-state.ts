/**
 * Where a ramp is.
 *
 * - **pending**: something has to hold before it may start: arms are not ready, the shadow has not passed, the control arm is
 *   not healthy. Everyone gets the control arm.
 * - **ready**: nothing is missing, and somebody has to start it. Everyone gets the control arm.
 * - **running**: at a step, whose coverage is in force.
 * - **paused**: at a step, whose coverage stays in force; time does not count.
 * - **completed**: the winner gets all traffic (or, where nothing is promoted, the last step stays, and stays guarded).
 * - **rolled_back**: the control arm gets all traffic.
 *
 * Moves: pending ⇄ ready → running ⇄ paused; running → running at the next step, never over one; running → completed;
 * running → pending, when its steps are changed in the file and no step is as low as where it was; every state → rolled_back;
 * completed and rolled_back → pending (retry).
 */
export type RampState =
  | { readonly kind: "pending"; readonly why: string }
  | { readonly kind: "ready" }
  | RunningRamp
  | {
      readonly kind: "paused";
      readonly step: number;
      readonly why: string;
      /** Time that the step has run already. */
      readonly ranMs: number;
      readonly isApproved: boolean;
    }
  | { readonly kind: "completed"; readonly winner: string | undefined; readonly why: string }
  | { readonly kind: "rolled_back"; readonly why: string };

export interface RunningRamp {
  readonly kind: "running";
  /** Index of the step, from 0. */
  readonly step: number;
  /** Since when its coverage is in force, less pauses; milliseconds since 1970-01-01 UTC. */
  readonly sinceMs: number;
  readonly isApproved: boolean;
  /** What the next step waits for, in words; empty before the first look. */
  readonly waitsFor: readonly string[];
}

/** What a person may tell a ramp to do. */
export type RampCommand = "start" | "pause" | "resume" | "approve" | "abort" | "retry";

/** What the live keys of the experiment are to be in a state. */
export interface RampEffect {
  readonly coverage: number;
  readonly isActive: boolean;
  readonly winner: string | undefined;
}
