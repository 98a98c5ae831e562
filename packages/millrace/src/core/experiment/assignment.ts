/** Why a request takes no part in an experiment. */
export type NotEnrolledReason =
  /** The request names nobody. */
  | "no_unit"
  /** The unit lies outside the share that takes part. */
  | "coverage"
  /** The unit belongs to another experiment of the namespace. */
  | "namespace"
  /** The experiment is switched off. */
  | "inactive"
  /** It is decided: everyone gets the winner. */
  | "decided"
  /** The unit's arm is of a phase before `minPhase`. */
  | "earlier_phase";

/** Which arm a request gets, and why. */
export type Assignment =
  | {
      readonly kind: "enrolled";
      readonly arm: string;
      /** Phase in which the unit got its arm. */
      readonly phase: number;
      /** Where the unit fell, in [0, 1), steps of 1/10,000. */
      readonly hash: number;
      /** Probability of the arm among the units that take part, when it was given. */
      readonly propensity: number;
      /** Did it have the arm already, from this phase or an earlier one? */
      readonly isKept: boolean;
      /** Was it given another arm, because the experiment has its kept one no longer? */
      readonly isMoved: boolean;
    }
  /** The request named its arm: it is answered, and not counted. */
  | { readonly kind: "overridden"; readonly arm: string; readonly phase: number }
  | {
      readonly kind: "not_enrolled";
      readonly arm: string;
      readonly phase: number;
      readonly reason: NotEnrolledReason;
      /** Undefined without a unit, and where everyone gets the same arm. */
      readonly hash: number | undefined;
    };
