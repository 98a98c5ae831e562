import { UsageError } from "./command.ts";
import type { ExperimentStatus, ShadowStatus } from "../core/release/release-report.ts";
import { describeExperiment, describeExperiments } from "./describe-experiment.ts";
import { rampText } from "./describe-ramp.ts";
import { describeShadow, describeShadows } from "./describe-shadow.ts";
import type { TerminalStyle } from "./terminal-style.ts";

export interface Named {
  readonly name: string;
}

/** What commands about experiments and those about shadows differ in. */
export interface ReleaseKind<Status extends Named> {
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

/**
 * The name that a command line means that gives none.
 * @throws UsageError when there is none or several.
 */
export function onlyOf<Status extends Named>(
  names: readonly string[],
  { noun }: ReleaseKind<Status>,
): string {
  const [only, second] = names;
  if (only !== undefined && second === undefined) return only;
  throw new UsageError(
    only === undefined ? `there is no ${noun}` : `expected one ${noun} of ${names.join(", ")}`,
  );
}
