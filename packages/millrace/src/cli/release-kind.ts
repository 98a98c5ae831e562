import type { ExperimentStatus, ShadowStatus } from "../core/release/release-report.ts";
import { describeExperiment, describeExperiments } from "./describe-experiment.ts";
import { rampText } from "./describe-ramp.ts";
import { describeShadow, describeShadows } from "./describe-shadow.ts";
import type { TerminalStyle } from "./terminal-style.ts";

/** What commands about experiments and those about shadows differ in. */
export interface ReleaseKind<Status extends { readonly name: string }> {
  readonly noun: "experiment" | "shadow";
  /** `/api/v1/<plural>`, and member of what it answers. */
  readonly plural: "experiments" | "shadows";
  readonly describe: (status: Status, style: TerminalStyle) => string;
  readonly describeAll: (all: readonly Status[], style: TerminalStyle) => string;
  /** What it is now, in one line, for who has just changed it. */
  readonly line: (status: Status) => string;
}

export const EXPERIMENTS: ReleaseKind<ExperimentStatus> = {
  noun: "experiment",
  plural: "experiments",
  describe: describeExperiment,
  describeAll: describeExperiments,
  line: ({ name, ramp, winner }) => {
    if (ramp !== undefined) return `${name}: ${rampText(ramp)}`;
    return `${name}: ${winner === undefined ? "no ramp" : `${winner} gets all traffic`}`;
  },
};

export const SHADOWS: ReleaseKind<ShadowStatus> = {
  noun: "shadow",
  plural: "shadows",
  describe: describeShadow,
  describeAll: describeShadows,
  line: ({ name, isExcluded }) =>
    `${name}: ${isExcluded ? "excluded, it gets nothing" : "running"}`,
};
