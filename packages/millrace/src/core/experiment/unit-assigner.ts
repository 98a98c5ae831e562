import { hashCodes, UnitCodes } from "../rules/hash-unit.ts";
import type { Assignment, NotEnrolledReason } from "./assignment.ts";
import { coverageRanges, rangeOf, sharesOf, type BucketRange } from "./coverage-ranges.ts";
import { isInPart, namespaceSalt, type NamespacePart } from "./namespace-part.ts";

export interface SplitArm {
  readonly name: string;
  /** Share of the units that take part; the shares of all arms add up to 1. */
  readonly weight: number;
}

/** How an experiment divides units between its arms. */
export interface ExperimentSplit {
  /** At least two. */
  readonly arms: readonly SplitArm[];
  /** Arm of whoever takes no part. */
  readonly control: string;
  /** Share of the units that take part, 0 to 1. */
  readonly coverage: number;
  readonly salt: string;
  /** Undefined: all units are the experiment's. */
  readonly namespace: NamespacePart | undefined;
  readonly isActive: boolean;
  /** Arm that everyone gets; undefined while it is not decided. */
  readonly winner: string | undefined;
  /** Units whose arm is of an earlier phase take no part. */
  readonly minPhase: number;
}

/** An arm that was given to a unit before, and is kept. */
export interface KeptArm {
  readonly arm: string;
  /** Phase in which it was given. */
  readonly phase: number;
  /** Probability of the arm among the units that took part, when it was given. */
  readonly propensity: number;
}

/** The arm that is kept of a unit. */
export type KeptArmOf = (unit: string) => KeptArm | undefined;

/**
 * Gives units their arms; made once for each state of an experiment's configuration. The first of these that holds
 * decides:
 *
 *     winner is set              decided         the winner
 *     switched off               inactive        control
 *     the request wants an arm   overridden      that arm, when the experiment has it
 *     no unit                    no_unit         control
 *     outside the namespace part namespace       control
 *     kept, before `minPhase`    earlier_phase   control
 *     kept, arm still there      enrolled        the kept arm
 *     outside the coverage       coverage        control
 *     otherwise                  enrolled        the arm in whose part the unit's hash lies
 *
 * What is kept stands before the coverage: a unit that takes part goes on when the coverage is lowered, and keeps its
 * arm when the weights change. A kept arm that the experiment has no longer counts as none: the unit is bucketed anew.
 */
export class UnitAssigner {
  readonly #split: ExperimentSplit;
  readonly #phase: number;
  readonly #keptArmOf: KeptArmOf | undefined;
  readonly #ranges: readonly BucketRange[];
  readonly #shares: readonly number[];
  readonly #names: ReadonlySet<string>;
  readonly #namespaceSalt: string;
  readonly #codes = new UnitCodes();
  /** For everyone alike; undefined while units are told apart. */
  readonly #forAll: Assignment | undefined;
  readonly #withoutUnit: Assignment;

  /**
   * @param phase number of `splitDigest(split)`.
   * @param keptArmOf asked only when nothing before it decides; absent keeps nothing.
   */
  constructor(split: ExperimentSplit, phase: number, keptArmOf?: KeptArmOf) {
    const weights = split.arms.map(({ weight }) => weight);
    this.#split = split;
    this.#phase = phase;
    this.#keptArmOf = keptArmOf;
    this.#ranges = coverageRanges(split.arms.length, split.coverage, weights);
    this.#shares = sharesOf(split.arms.length, weights);
    this.#names = new Set(split.arms.map(({ name }) => name));
    this.#namespaceSalt = namespaceSalt(split.namespace?.name ?? "");
    this.#forAll = forAllOf(split, phase);
    this.#withoutUnit = notEnrolled(split.control, phase, "no_unit", undefined);
  }

  /**
   * @param unit whom the request is for; where each request draws, its prediction id.
   * @param wanted arm that the request names; of no consequence when there is no such arm.
   */
  assign(unit: string | undefined, wanted?: string): Assignment {
    if (this.#forAll !== undefined) return this.#forAll;
    if (wanted !== undefined && this.#names.has(wanted)) {
      return { kind: "overridden", arm: wanted, phase: this.#phase };
    }
    return unit === undefined ? this.#withoutUnit : this.#assignUnit(unit);
  }

  #assignUnit(unit: string): Assignment {
    const { control, namespace, minPhase, salt } = this.#split;
    const codes = this.#codes.of(unit);
    const hash = hashCodes(salt, codes);
    if (namespace !== undefined && !isInPart(namespace, this.#namespaceSalt, codes)) {
      return notEnrolled(control, this.#phase, "namespace", hash);
    }
    const kept = this.#keptArmOf?.(unit);
    if (kept === undefined) return this.#bucket(hash, false);
    if (kept.phase < minPhase) return notEnrolled(control, this.#phase, "earlier_phase", hash);
    if (!this.#names.has(kept.arm)) return this.#bucket(hash, true);
    const { arm, phase, propensity } = kept;
    return { kind: "enrolled", arm, phase, hash, propensity, isKept: true, isMoved: false };
  }

  #bucket(hash: number, isMoved: boolean): Assignment {
    const place = rangeOf(this.#ranges, hash);
    const phase = this.#phase;
    if (place === undefined) return notEnrolled(this.#split.control, phase, "coverage", hash);
    const arm = (this.#split.arms[place] as SplitArm).name;
    const propensity = this.#shares[place] as number;
    return { kind: "enrolled", arm, phase, hash, propensity, isKept: false, isMoved };
  }
}

function forAllOf(split: ExperimentSplit, phase: number): Assignment | undefined {
  if (split.winner !== undefined) return notEnrolled(split.winner, phase, "decided", undefined);
  if (!split.isActive) return notEnrolled(split.control, phase, "inactive", undefined);
  return undefined;
}

function notEnrolled(
  arm: string,
  phase: number,
  reason: NotEnrolledReason,
  hash: number | undefined,
): Assignment {
  return { kind: "not_enrolled", arm, phase, reason, hash };
}
