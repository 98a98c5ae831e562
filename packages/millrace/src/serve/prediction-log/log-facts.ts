import type { PredictionLogConfig, ServiceLogConfig } from "../../config/config.ts";
import { explainAssignment } from "../../core/experiment/explain-assignment.ts";
import { describeTrace } from "../../core/graph/describe-trace.ts";
import { PLAIN_ERRORS } from "../../core/plain-errors.ts";
import type { LogFacts, ShadowComparison } from "../../core/predictions/logged-prediction.ts";
import { redactValue, textOf, type KeyedHash } from "../../core/predictions/redaction.ts";
import type { Attributes } from "../../core/rules/attributes.ts";
import { shortNestedJson, shortRowJson } from "../../core/tensor/short-json.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { AskedRules, PredictionRecord } from "../recent-predictions.ts";
import { requestText } from "../request-values.ts";

/** Longer ones are cut. */
const ATTRIBUTE_LENGTH_MAX = 1_024;
const ERROR_LENGTH_MAX = 4_096;

/** Rules of which it is told why they match or do not: of a thousand that would take longer than the prediction. */
const RULES_EXPLAINED_MAX = 16;

/** Facts that are longer go without steps, rules and what was observed. */
const FACTS_LENGTH_MAX = 64 * 1024;

/** What of a request's attributes is logged, and how. */
export interface AttributeRules {
  readonly wanted: ServiceLogConfig["attributes"];
  readonly redact: PredictionLogConfig["redact"];
  readonly hash: KeyedHash;
}

/** JSON leaves out what is undefined. */
type Facts = { readonly [Name in keyof LogFacts]: LogFacts[Name] | undefined };

export interface FactsSource {
  readonly record: PredictionRecord;
  /** Of a shadow's prediction. */
  readonly comparison: ShadowComparison | undefined;
  /** Models that ran; undefined of a model alone. */
  readonly models: string | undefined;
  readonly attributes: Readonly<Record<string, string>> | undefined;
  /** Are values of the request to be left out of what the rules and errors say? */
  readonly isPrivate: boolean;
  /** Is what was observed to be logged? */
  readonly hasPayload: boolean;
}

/** JSON of what is not true of most predictions; empty when there is nothing. */
export function factsJson(source: FactsSource): string {
  const few = fewFacts(source);
  const { trace, observed, asked } = source.record;
  if ((trace ?? observed ?? asked) === undefined) {
    return few === undefined ? "" : wellFormedJson(few);
  }
  const all = wellFormedJson({ ...few, ...more(source) });
  return all.length > FACTS_LENGTH_MAX ? wellFormedJson(few ?? {}) : all;
}

/** Those that are short. */
function fewFacts(source: FactsSource): Facts | undefined {
  const { record, models, attributes, comparison } = source;
  const { degraded, cache, arm } = record;
  const error = errorText(source)?.slice(0, ERROR_LENGTH_MAX);
  const some = error ?? degraded ?? cache ?? models ?? attributes ?? comparison;
  if (some === undefined && arm === undefined) return undefined;
  const assignment = arm && explainAssignment(arm.experiment.config, arm.assignment);
  const propensity = assignment?.propensity;
  return { error, degraded, cache, models, attributes, propensity, assignment, comparison };
}

function errorText({ record: { code, message }, isPrivate }: FactsSource): string | undefined {
  return isPrivate && code !== "ok" && !PLAIN_ERRORS.has(code) ? undefined : message;
}

function more({ record, isPrivate, hasPayload }: FactsSource): Facts {
  const { trace, observed, asked } = record;
  return {
    steps: trace && describeTrace(trace),
    rules: asked && rulesOf(asked, isPrivate),
    observed: observed && hasPayload ? observedOf(observed) : undefined,
  };
}

/** Why a rule matches has values of the request in it. */
function rulesOf({ rules, attributes, wallMs }: AskedRules, isPrivate: boolean): unknown {
  const explained = rules.explain(attributes, wallMs, RULES_EXPLAINED_MAX);
  return isPrivate ? explained.map(({ name, to, isMatch }) => ({ name, to, isMatch })) : explained;
}

/** As `/predict` would answer it; what is long is left out. */
function observedOf(observed: readonly Tensor[]): Readonly<Record<string, unknown>> {
  const few = observed.filter(({ data }) => data.length <= OBSERVED_ELEMENTS_MAX);
  return Object.fromEntries(
    few.map((tensor) => {
      const json = tensor.shape[0] === 1 ? shortRowJson(tensor, 0) : shortNestedJson(tensor);
      return [tensor.name, JSON.parse(json) as unknown];
    }),
  );
}

const OBSERVED_ELEMENTS_MAX = 64;

/** The attributes of a request that the file asks for; undefined when it has none of them. */
export function loggedAttributes(
  attributes: Attributes,
  { wanted, redact, hash }: AttributeRules,
): Readonly<Record<string, string>> | undefined {
  const found: Record<string, string> = {};
  let count = 0;
  for (const name in wanted) {
    const value = wanted[name];
    const text = value === undefined ? undefined : requestText(attributes, value);
    if (text === undefined) continue;
    const redaction = Object.hasOwn(redact, name) ? redact[name] : undefined;
    const kept = redaction === undefined ? text : redactValue(text, redaction, hash);
    if (kept === undefined) continue;
    found[name] = textOf(kept).slice(0, ATTRIBUTE_LENGTH_MAX);
    count++;
  }
  return count === 0 ? undefined : found;
}

/** Half of a surrogate pair is escaped in JSON, and many readers refuse the file for it. */
function wellFormedJson(facts: Facts): string {
  const json = JSON.stringify(facts);
  if (!json.includes("\\ud")) return json;
  return JSON.stringify(facts, (_key, value: unknown) =>
    typeof value === "string" ? value.toWellFormed() : value,
  );
}
