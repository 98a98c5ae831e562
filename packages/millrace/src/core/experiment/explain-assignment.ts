import type { Assignment, NotEnrolledReason } from "./assignment.ts";

/** How a request got its arm, as `explain` and the column `assignment` of the log show it. */
export interface ExplainedAssignment {
  readonly experiment: string;
  /** Arm that answered. */
  readonly variant: string;
  readonly phase: number;
  readonly kind: Assignment["kind"];
  /** Why it takes no part; absent when it does. */
  readonly reason?: NotEnrolledReason;
  /** Where the unit fell, in [0, 1); absent where that was of no consequence. */
  readonly hash?: number;
  /** Share of the units that took part then. */
  readonly coverage: number;
  /** Of the arm, among the units that take part; absent when it takes no part. */
  readonly propensity?: number;
  /** Had the unit its arm already? Absent when it takes no part. */
  readonly is_kept?: boolean;
  /** All of it as a sentence. */
  readonly why: string;
}

/** The experiment as it was when a request got its arm. */
export interface AssignedIn {
  readonly name: string;
  readonly coverage: number;
  readonly minPhase: number;
  readonly namespace: { readonly name: string } | undefined;
  /** Whom requests are for; empty where each request draws. */
  readonly unit: readonly unknown[];
}

export function explainAssignment(
  experiment: AssignedIn,
  assignment: Assignment,
): ExplainedAssignment {
  const { name, coverage } = experiment;
  const { kind, arm: variant, phase } = assignment;
  const common = { experiment: name, variant, phase, kind };
  const why = whyOf(experiment, assignment);
  switch (assignment.kind) {
    case "overridden":
      return { ...common, coverage, why };
    case "not_enrolled": {
      const { reason, hash } = assignment;
      return { ...common, reason, ...(hash === undefined ? {} : { hash }), coverage, why };
    }
    case "enrolled": {
      const { hash, propensity, isKept } = assignment;
      return { ...common, hash, coverage, propensity, is_kept: isKept, why };
    }
  }
}

function whyOf(experiment: AssignedIn, assignment: Assignment): string {
  const who = experiment.unit.length === 0 ? "the request" : "the unit";
  const { arm } = assignment;
  switch (assignment.kind) {
    case "overridden":
      return `the request names ${arm}, so it is answered by it and not counted`;
    case "enrolled": {
      const { hash, phase, propensity, isKept } = assignment;
      if (isKept) return `${who} has ${arm} since phase ${phase} and keeps it`;
      return `${who} fell at ${hash}, in the part of ${arm}: ${percent(propensity)} of those that take part, which ${percent(experiment.coverage)} do`;
    }
    case "not_enrolled":
      return `${WHY_NOT[assignment.reason]({ ...experiment, who, arm, hash: assignment.hash })}, and is not counted`;
  }
}

interface NotEnrolled extends AssignedIn {
  readonly who: string;
  readonly arm: string;
  readonly hash: number | undefined;
}

const WHY_NOT: Readonly<Record<NotEnrolledReason, (facts: NotEnrolled) => string>> = {
  no_unit: ({ arm }) => `the request names nobody, so it gets ${arm}`,
  coverage: ({ who, hash, coverage, arm }) =>
    `${who} fell at ${hash ?? 0}, outside the ${percent(coverage)} that take part, so it gets ${arm}`,
  namespace: ({ who, namespace, arm }) =>
    `${who} belongs to another experiment of namespace ${namespace?.name ?? ""}, so it gets ${arm}`,
  inactive: ({ arm }) => `the experiment is switched off, so the request gets ${arm}`,
  decided: ({ arm }) => `the experiment is decided, so the request gets ${arm}, the winner`,
  earlier_phase: ({ who, minPhase, arm }) =>
    `${who} got its arm before phase ${minPhase}, from which on they count, so it gets ${arm}`,
};

/** At most two decimals. */
function percent(share: number): string {
  return `${Math.round(share * 10_000) / 100}%`;
}
