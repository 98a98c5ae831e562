import type { Attributes } from "./attributes.ts";
import type { Condition } from "./condition.ts";
import { isTrue } from "./evaluate.ts";
import type { Moment } from "./evaluate.ts";
import { UnitCodes } from "./hash-unit.ts";
import { explainCondition } from "./explain-condition.ts";
import { ReadOnce } from "./read-once.ts";
import { KeptAttributes, lookedAtBy, predicatesIn, type LookedAt } from "./kept-attributes.ts";
import { TimeZones } from "./time-zones.ts";

/** Sends the requests for which `when` holds to `to`. */
export interface Rule {
  readonly name: string;
  readonly when: Condition;
  /** Name of a model, a service or a step; the rule set does not look at it. */
  readonly to: string;
}

/** What the rules say about a request. */
export interface RuleMatch {
  /** The first rule that matches; undefined when none does. */
  readonly rule: Rule | undefined;
  /** Predicates, of all rules that were looked at, that met a value they cannot be made on. */
  readonly invalidCount: number;
}

/** What one rule says about a request, and why. */
export interface RuleExplanation {
  readonly name: string;
  readonly to: string;
  readonly isMatch: boolean;
  /** As `explainCondition` writes it; may be several lines. */
  readonly why: string;
}

/** What metrics say when no rule matches; no rule has this name. */
export const NO_RULE = "default";

/** Most rules of one service. */
export const RULES_MAX = 1000;

/** Rules in their order, of which the first that matches decides. */
export class RuleSet {
  readonly #rules: readonly Rule[];
  readonly #zones = new TimeZones();
  readonly #units = new UnitCodes();
  readonly #lookedAt: LookedAt;
  /** Does any rule look into the body? Then the front end has to have it decoded before. */
  readonly looksAtBody: boolean;

  /** @throws RangeError when a condition names a time zone that does not exist; nothing throws later. */
  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    this.#lookedAt = lookedAtBy(rules.map(({ when }) => when));
    const predicates = rules.flatMap(({ when }) => [...predicatesIn(when)]);
    this.looksAtBody = predicates.some(({ kind }) => kind === "body");
    // Also keeps the first request from paying for what Node.js reads for a zone.
    for (const predicate of predicates) {
      if (predicate.kind === "time") this.#zones.localMs(predicate.window.timeZone, 0);
    }
  }

  /** @param nowWallMs milliseconds since 1970-01-01 UTC. */
  match(attributes: Attributes, nowWallMs: number): RuleMatch {
    const moment: Moment = { wallMs: nowWallMs, zones: this.#zones, units: this.#units };
    const tally = { invalidCount: 0 };
    const known = new ReadOnce(attributes);
    for (const rule of this.#rules) {
      if (isTrue(rule.when, known, moment, tally)) {
        return { rule, invalidCount: tally.invalidCount };
      }
    }
    return { rule: undefined, invalidCount: tally.invalidCount };
  }

  /** @returns what the rules look at of a request, to `explain` it when the request itself is gone. */
  keep(attributes: Attributes): Attributes {
    return new KeptAttributes(attributes, this.#lookedAt);
  }

  /**
   * Every rule up to the first that matches, and why it does or does not; all rules when none matches.
   * @param countMax rules of which it is told; the others are left out.
   */
  explain(
    attributes: Attributes,
    nowWallMs: number,
    countMax = RULES_MAX,
  ): readonly RuleExplanation[] {
    const moment: Moment = { wallMs: nowWallMs, zones: this.#zones, units: this.#units };
    const explanations: RuleExplanation[] = [];
    for (const { name, to, when } of this.#rules.slice(0, countMax)) {
      const isMatch = isTrue(when, attributes, moment, { invalidCount: 0 });
      const why = explainCondition(when, attributes, moment);
      explanations.push({ name, to, isMatch, why });
      if (isMatch) break;
    }
    return explanations;
  }
}
