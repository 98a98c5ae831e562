import { writeExactJson } from "../core/exact-json.ts";
import type { StepRecord } from "../core/graph/describe-trace.ts";
import type { JsonValue } from "../core/json.ts";
import type {
  ExplainedRow,
  ExplainedRule,
  ExplainedShadow,
  Explanation,
} from "../core/predictions/explanation.ts";
import { withoutControls } from "../core/without-controls.ts";

/** Characters of one value in a line. */
const VALUE_CHARACTERS_MAX = 400;

/** An explanation as a person reads it: a fact a line, the steps as a tree with their times. */
export function describeRecord(facts: Partial<Explanation>): string {
  const { graph, rows: logged = [], row_count: rowCount = 1 } = facts;
  const lines = factsOf(facts).flatMap(([name, text]) =>
    text === undefined || text === "" ? [] : [`${name.padEnd(11)} ${text}`],
  );
  const rules = ruleLines(facts.rules ?? []);
  if (rules.length > 0) lines.push("rules", ...rules);
  if (graph !== undefined) lines.push("steps", ...stepLines(graph, "  "));
  if (facts.observed !== undefined) lines.push("observed", ...memberLines(facts.observed, "  "));
  const { shadows = [] } = facts;
  if (shadows.length > 0) lines.push("shadows", ...shadows.map(shadowLine));
  lines.push(...logged.flatMap((row) => rowLines(row, rowCount)));
  if (logged.length > 1 && logged.length < rowCount) {
    lines.push(`… and ${rowCount - logged.length} rows more`);
  }
  const shown = lines.flatMap((line) => line.split("\n")).map(withoutControls);
  return `${shown.join("\n")}\n`;
}

type Fact = readonly [name: string, text: string | undefined];

function factsOf(facts: Partial<Explanation>): readonly Fact[] {
  const { duration_ms: durations, row_count: rowCount } = facts;
  return [
    ["prediction", facts.prediction_id],
    ["request", facts.request_id],
    ["trace", facts.trace_id],
    ["received", facts.received_at],
    ["service", joined([facts.service, facts.endpoint])],
    ["model", joined([facts.model, facts.digest && `digest ${facts.digest.slice(0, 16)}`])],
    ["role", facts.role === "primary" ? undefined : facts.role],
    ["status", [facts.status, facts.error].filter((text) => text !== undefined).join(": ")],
    ["degraded", facts.degraded],
    ["cache", facts.cache],
    ["rows", rowCount === undefined || rowCount === 1 ? undefined : String(rowCount)],
    ["overrides", overridesText(facts)],
    ["time", durations === undefined ? undefined : durationText(durations)],
    ["rule", facts.rule],
    ["experiment", experimentText(facts)],
    ["unit", facts.unit_hash],
    ["attributes", facts.attributes === undefined ? undefined : valueText(facts.attributes)],
    ["found in", facts.source && foundIn(facts.source, facts.node)],
    ["payload", payloadText(facts)],
    ["weight", facts.sampled_weight === 1 ? undefined : facts.sampled_weight?.toString()],
    ["policy", facts.policy],
    ["process", facts.source === "memory" ? undefined : facts.node],
  ];
}

function foundIn(source: Explanation["source"], node: string | undefined): string {
  if (source === "memory") return `memory of ${node ?? "a serve process"}`;
  return source === "segment" ? "the log, not yet a file" : "the log";
}

/** The version, and beneath it what it stands for. */
function overridesText(facts: Partial<Explanation>): string {
  const { override_version: version = 0, overrides = [] } = facts;
  if (version === 0) return "none";
  const lines = overrides.map(({ path, value, version: setBy, by, reason }) => {
    const why = reason === "" ? "" : `: ${reason}`;
    return `  ${path} = ${valueText(value)}  (v${setBy}, by ${by}${why})`;
  });
  return [`v${version}`, ...lines].join("\n");
}

/** The arm, and beneath it how it was found. */
function experimentText(facts: Partial<Explanation>): string {
  const { experiment, variant, phase, assignment } = facts;
  const arm = variant && `arm ${variant}`;
  const text = joined([experiment, arm, phase === undefined ? undefined : `phase ${phase}`]);
  return assignment === undefined ? text : `${text}\n  ${assignment.why}`;
}

/** That all of it is there is no news. */
function payloadText({ payload }: Partial<Explanation>): string | undefined {
  return payload === "full" ? undefined : payload;
}

function joined(texts: readonly (string | undefined)[]): string {
  return texts.filter((text) => text !== undefined && text !== "").join("  ");
}

function durationText(durations: Explanation["duration_ms"]): string {
  return Object.entries(durations)
    .map(([name, ms]) => `${name} ${String(ms)} ms`)
    .join(", ");
}

function valueText(value: JsonValue): string {
  const text = typeof value === "string" ? value : writeExactJson(value);
  return text.length <= VALUE_CHARACTERS_MAX ? text : `${text.slice(0, VALUE_CHARACTERS_MAX)}…`;
}

/** Members of an object, one a line. */
function memberLines(value: JsonValue, indent: string): readonly string[] {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject) return [`${indent}${valueText(value)}`];
  return Object.entries(value).map(
    ([name, member]) => `${indent}${name} = ${valueText(member as JsonValue)}`,
  );
}

/** `  rf  iris-rf@2  ok  1.2 ms  differs: versicolor → virginica` */
function shadowLine(shadow: ExplainedShadow): string {
  const { name, model, status, error, agreed, difference, distance, duration_ms: ms } = shadow;
  const found = [difference, distance === undefined ? undefined : `distance ${distance}`];
  const how = found.filter((text) => text !== undefined && text !== "").join(", ");
  const result = agreed === undefined ? undefined : agreed ? "agrees" : "differs";
  const compared = result !== undefined && how !== "" ? `${result}: ${how}` : result;
  return `  ${joined([name, model, error === undefined ? status : `${status}: ${error}`, `${ms} ms`, compared])}`;
}

/** What the log has of one row of the request. */
function rowLines(row: ExplainedRow, rowCount: number): readonly string[] {
  const { features, prediction, is_outlier: isOutlier } = row;
  const number = rowCount === 1 ? "" : ` ${row.row}`;
  const score = row.score === undefined ? undefined : `score ${row.score}`;
  const threshold = row.threshold === undefined ? undefined : `threshold ${row.threshold}`;
  const outlierScore = row.outlier_score === undefined ? "" : `, score ${row.outlier_score}`;
  const lines: readonly Fact[] = [
    ["prediction", prediction === undefined ? undefined : valueText(prediction)],
    ["label", joined([row.label, score, threshold])],
    ["outlier", isOutlier === undefined ? undefined : `${isOutlier ? "yes" : "no"}${outlierScore}`],
  ];
  return [
    ...(features === undefined ? [] : [`features${number}`, ...memberLines(features, "  ")]),
    ...lines.flatMap(([name, text]) =>
      text === undefined || text === "" ? [] : [`${`${name}${number}`.padEnd(11)} ${text}`],
    ),
  ];
}

/** `  detect  model  ok  3.2 ms`, its parts indented beneath it. */
function stepLines(step: StepRecord, indent: string): readonly string[] {
  const { name, kind, status, tookMs, facts = {}, steps = [], untracedSteps = 0 } = step;
  const shown = Object.entries(facts).map(([key, value]) => `${key}=${String(value)}`);
  const line = `${indent}${name}  ${kind}  ${status}  ${tookMs} ms`;
  return [
    shown.length === 0 ? line : `${line}  ${shown.join(" ")}`,
    ...steps.flatMap((part) => stepLines(part, `${indent}  `)),
    ...(untracedSteps > 0
      ? [`${indent}  … and ${untracedSteps} steps that were not written down`]
      : []),
  ];
}

/** `mountain → plant`, and beneath it why it matched or did not. */
function ruleLines(rules: readonly ExplainedRule[]): readonly string[] {
  return rules.flatMap(({ name, to, isMatch, why = String(isMatch) }) => [
    `  ${name} → ${to}`,
    ...why.split("\n").map((line) => `    ${line}`),
  ]);
}
