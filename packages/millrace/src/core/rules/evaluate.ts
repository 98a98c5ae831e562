import { isInArea } from "./area.ts";
import type { Attributes } from "./attributes.ts";
import type { Condition, Predicate } from "./condition.ts";
import { hashCodes, type UnitCodes } from "./hash-unit.ts";
import { testInput } from "./test-input.ts";
import { isInWindow } from "./time-window.ts";
import type { TimeZones } from "./time-zones.ts";
import { outcomeOf, parseNumber, testValue } from "./value-test.ts";
import type { Outcome } from "./value-test.ts";

/** What a condition came to. */
export interface Verdict {
  readonly isMatch: boolean;
  /** Predicates that met a value which they cannot be made on. */
  readonly invalidCount: number;
}

/** When a condition is evaluated, and what knows local times. */
export interface Moment {
  /** Milliseconds since 1970-01-01 UTC. */
  readonly wallMs: number;
  readonly zones: TimeZones;
  readonly units: UnitCodes;
}

/** Counts what `isTrue` met. */
export interface Tally {
  invalidCount: number;
}

/**
 * Does the condition hold for a request? It never throws.
 *
 * A predicate on an attribute that is missing is false, so `not` makes it true: `not: { header: { beta: on } }` holds
 * for a request without that header. One on an invalid value (a word where a number should be, a latitude of 100) is
 * false too, in the same way, and is counted, since somebody should look at it. `all` and `any` look from first to last
 * and only as far as they need; put what is dear, such as `body`, last.
 */
export function evaluate(condition: Condition, attributes: Attributes, moment: Moment): Verdict {
  const tally = { invalidCount: 0 };
  const isMatch = isTrue(condition, attributes, moment, tally);
  return { isMatch, invalidCount: tally.invalidCount };
}

/** As `evaluate`, for many conditions in a row: allocates nothing and adds to the tally. */
export function isTrue(
  condition: Condition,
  attributes: Attributes,
  moment: Moment,
  tally: Tally,
): boolean {
  switch (condition.kind) {
    case "all":
      for (const part of condition.conditions) {
        if (!isTrue(part, attributes, moment, tally)) return false;
      }
      return true;
    case "any":
      for (const part of condition.conditions) {
        if (isTrue(part, attributes, moment, tally)) return true;
      }
      return false;
    case "not":
      return !isTrue(condition.condition, attributes, moment, tally);
    default: {
      const outcome = outcomeFor(condition, attributes, moment);
      if (outcome === "invalid") tally.invalidCount++;
      return outcome === "true";
    }
  }
}

/** What one predicate comes to. */
export function outcomeFor(predicate: Predicate, attributes: Attributes, moment: Moment): Outcome {
  switch (predicate.kind) {
    case "header":
      return testValue(predicate.test, attributes.header(predicate.name));
    case "query":
      return testValue(predicate.test, attributes.query(predicate.name));
    case "cookie":
      return testValue(predicate.test, attributes.cookie(predicate.name));
    case "body":
      return testValue(predicate.test, attributes.body(predicate.path));
    case "input":
      return testInput(predicate.test, attributes.input?.(predicate.name));
    case "method":
      return testValue(predicate.test, attributes.method);
    case "path":
      return testValue(predicate.test, attributes.path);
    case "caller":
      return testValue(predicate.test, attributes.caller);
    case "percent":
      return outcomeOf(
        hashCodes(predicate.salt, moment.units.of(attributes.unit)) < predicate.share,
      );
    case "time": {
      const localMs = moment.zones.localMs(predicate.window.timeZone, moment.wallMs);
      return outcomeOf(isInWindow(predicate.window, localMs));
    }
    case "country":
      return countryOutcome(predicate.countries, attributes.header(predicate.header));
    case "area":
      return areaOutcome(predicate, attributes);
  }
}

function countryOutcome(countries: readonly string[], code: string | undefined): Outcome {
  if (code === undefined) return "missing";
  return code.length === 2 ? outcomeOf(countries.includes(code.toUpperCase())) : "invalid";
}

function areaOutcome(
  { latHeader, lonHeader, area }: Extract<Predicate, { kind: "area" }>,
  attributes: Attributes,
): Outcome {
  const latText = attributes.header(latHeader);
  const lonText = attributes.header(lonHeader);
  if (latText === undefined || lonText === undefined) return "missing";
  const lat = degrees(latText, 90);
  const lon = degrees(lonText, 180);
  if (lat === undefined || lon === undefined) return "invalid";
  return outcomeOf(isInArea(area, { lat, lon }));
}

function degrees(text: string, max: number): number | undefined {
  const value = parseNumber(text);
  return value !== undefined && Math.abs(value) <= max ? value : undefined;
}
