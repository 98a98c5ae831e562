import type { StepRecord } from "../core/graph/describe-trace.ts";
import type { RuleExplanation } from "../core/rules/rule-set.ts";

/** What `GET /api/v1/predictions/{id}` answers; whatever else it has is shown with `--json`. */
interface PredictionFacts {
  readonly prediction_id?: string;
  readonly service?: string;
  readonly model?: string;
  readonly received_at?: string;
  readonly status?: string;
  readonly error?: string;
  readonly degraded?: string;
  readonly cache?: string;
  readonly override_version?: number;
  readonly duration_ms?: Readonly<Record<string, number>>;
  readonly rule?: string;
  readonly rules?: readonly RuleExplanation[];
  readonly graph?: StepRecord;
}

/** A record as a person reads it: a fact a line, the steps as a tree with their times. */
export function describeRecord(record: unknown): string {
  const facts = record as PredictionFacts;
  const { override_version: version, duration_ms: durations, graph } = facts;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["prediction", facts.prediction_id],
    ["received", facts.received_at],
    ["service", facts.service],
    ["model", facts.model],
    ["status", [facts.status, facts.error].filter((text) => text !== undefined).join(": ")],
    ["degraded", facts.degraded],
    ["cache", facts.cache],
    ["overrides", version === undefined || version === 0 ? "none" : `v${version}`],
    ["time", durations === undefined ? undefined : durationText(durations)],
    ["rule", facts.rule],
  ];
  const lines = rows.flatMap(([name, text]) =>
    text === undefined || text === "" ? [] : [`${name.padEnd(11)} ${text}`],
  );
  const rules = ruleLines(facts.rules ?? []);
  if (rules.length > 0) lines.push("rules", ...rules);
  if (graph !== undefined) lines.push("steps", ...stepLines(graph, "  "));
  return `${lines.join("\n")}\n`;
}

function durationText(durations: Readonly<Record<string, number>>): string {
  return Object.entries(durations)
    .map(([name, ms]) => `${name} ${ms} ms`)
    .join(", ");
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
function ruleLines(rules: readonly RuleExplanation[]): readonly string[] {
  return rules.flatMap(({ name, to, why }) => [
    `  ${name} → ${to}`,
    ...why.split("\n").map((line) => `    ${line}`),
  ]);
}
