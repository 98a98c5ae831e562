import type { Area } from "./area.ts";
import type { JsonPath } from "./attributes.ts";
import type { TimeWindow } from "./time-window.ts";
import type { ValueTest } from "./value-test.ts";

/**
 * What must hold for a rule to match. Plain data, so that it can be sent between processes; `resolve-condition.ts`
 * makes it from what stands in the file, and whatever it makes is evaluated without an error.
 */
export type Condition =
  | { readonly kind: "all"; readonly conditions: readonly Condition[] }
  | { readonly kind: "any"; readonly conditions: readonly Condition[] }
  | { readonly kind: "not"; readonly condition: Condition }
  | Predicate;

/** A condition that looks at one thing. */
export type Predicate =
  | {
      readonly kind: "header" | "query" | "cookie";
      /** Of a header in lower case. */
      readonly name: string;
      readonly test: ValueTest;
    }
  | { readonly kind: "body"; readonly path: JsonPath; readonly test: ValueTest }
  /** True when the test is true for every element of an input of a switch. */
  | { readonly kind: "input"; readonly name: string; readonly test: ValueTest }
  | { readonly kind: "method" | "path" | "caller"; readonly test: ValueTest }
  /** True for this share of units, 0 to 1, in steps of 0.0001; a larger share of the same salt has the same ones and more. */
  | { readonly kind: "percent"; readonly share: number; readonly salt: string }
  | { readonly kind: "time"; readonly window: TimeWindow }
  /** ISO 3166-1 alpha-2 codes in upper case. */
  | { readonly kind: "country"; readonly header: string; readonly countries: readonly string[] }
  /** Degrees stand in two headers. */
  | {
      readonly kind: "area";
      readonly latHeader: string;
      readonly lonHeader: string;
      readonly area: Area;
    };

/** Deepest nesting of `all`, `any` and `not`; 1 is a condition without them. */
export const CONDITION_DEPTH_MAX = 8;

/** Most predicates in one condition. */
export const PREDICATES_MAX = 64;
