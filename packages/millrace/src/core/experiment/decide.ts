import { wordsOfMs } from "../release/words-of-ms.ts";
import { metricWords, percentWords } from "./metric-words.ts";
import type {
  Decision,
  ExperimentAnalysis,
  MetricComparison,
  MetricReport,
} from "./experiment-report.ts";

/** What has to hold before something is decided. */
export interface DecisionRules {
  readonly control: string;
  readonly method: "sequential" | "fixed";
  /** Units of each arm below which nothing ships. */
  readonly unitsMin: number;
  readonly lengthMinMs: number;
  readonly lengthMaxMs: number;
  /** `warn` goes on and says it; of the others whoever asks makes what they mean. */
  readonly onRegression: "rollback" | "hold" | "warn";
  /** Likewise. */
  readonly onMismatch: "rollback" | "hold" | "warn";
}

/** What is decided about. */
export type DecisionData = Pick<
  ExperimentAnalysis,
  "window" | "arms" | "sampleRatios" | "multipleExposures" | "metrics"
>;

/** Share of the units that may have been in several arms: a few are always there, such as those of a restart. */
const MULTIPLE_SHARE_MAX = 0.001;

/**
 * What to do, by the first of these that says something:
 *
 * 1. nothing was exposed: keep running, whoever asks knows for how long to wait;
 * 2. a guardrail regressed: rollback, though the split may be broken: safety goes before truth;
 * 3. the split is broken: no number can be trusted, so nothing else is decided;
 * 4. there is too little of it, by units or time: keep running. A primary metric may be worse already (`sequential` only);
 * 5. an arm is better, and safe by every guardrail: ship the best of them. Without a primary metric, safe is enough;
 * 6. every arm is worse: rollback;
 * 7. it ran too long, or had its one look: inconclusive.
 */
export function decide(data: DecisionData, rules: DecisionRules): Decision {
  const { fromMs } = data.window;
  if (fromMs === undefined) return { kind: "keep_running", why: "no data yet" };
  const warnings: string[] = [];
  const regressed = wordsOf(data, "guardrail", "regressed");
  if (regressed.length > 0) {
    const why = regressed.join("; ");
    if (rules.onRegression !== "warn") return { kind: "rollback", why };
    warnings.push(`warning: ${why}`);
  }
  const broken = brokenSplit(data);
  if (broken !== undefined) {
    if (rules.onMismatch !== "warn") return { kind: "inconclusive", ...broken };
    warnings.push(`warning: ${broken.why}`);
  }
  const decision = byNumbers(data, rules, data.window.untilMs - fromMs);
  return { ...decision, why: [...warnings, decision.why].join("; ") };
}

function byNumbers(data: DecisionData, rules: DecisionRules, lengthMs: number): Decision {
  const missing = missingOf(data, rules, lengthMs);
  const isLookAllowed = rules.method === "sequential" || missing.length === 0;
  if (missing.length === 0) {
    const ship = shipping(data, rules);
    if (ship !== undefined) return ship;
  }
  const worse = isLookAllowed ? allWorse(data) : undefined;
  if (worse !== undefined) return { kind: "rollback", why: worse };
  const open = [...missing, ...openOf(data)].join("; ");
  if (lengthMs >= rules.lengthMaxMs) {
    const why = `it has run ${wordsOfMs(lengthMs)}, the most is ${wordsOfMs(rules.lengthMaxMs)}, without a result: ${open}`;
    return { kind: "inconclusive", reason: "too_long", why };
  }
  if (rules.method === "fixed" && missing.length === 0) {
    const why = `its one look, with method fixed, found no result: ${open}`;
    return { kind: "inconclusive", reason: "too_long", why };
  }
  return { kind: "keep_running", why: `waits for ${open}` };
}

type BrokenSplit = Pick<Extract<Decision, { kind: "inconclusive" }>, "reason" | "why">;

function brokenSplit({
  sampleRatios,
  multipleExposures,
  arms,
}: DecisionData): BrokenSplit | undefined {
  const mismatch = sampleRatios.find(({ isMismatch }) => isMismatch);
  if (mismatch !== undefined) {
    const { of, counts, expected, sequentialPValue } = mismatch;
    const split = counts.map(
      (count, i) => `${arms[i]?.arm ?? ""} has ${count} of ${Math.round(expected[i] ?? 0)}`,
    );
    const why = `${of} units are not split as the weights say: ${split.join(", ")} (p ${sequentialPValue.toPrecision(2)})`;
    return { reason: "sample_ratio_mismatch", why };
  }
  const units = arms.reduce((sum, arm) => sum + arm.units, multipleExposures);
  if (multipleExposures <= units * MULTIPLE_SHARE_MAX) return undefined;
  const why = `${multipleExposures} of ${units} units were in several arms, at most ${percentWords(MULTIPLE_SHARE_MAX)} may be`;
  return { reason: "multiple_exposures", why };
}

/** What there is too little of. */
function missingOf(data: DecisionData, rules: DecisionRules, lengthMs: number): readonly string[] {
  const missing: string[] = [];
  const primary = primaryOf(data);
  for (const { arm, units } of primary?.arms ?? data.arms) {
    if (units >= rules.unitsMin) continue;
    const what = primary === undefined ? "units" : "units whose window is over";
    missing.push(`${what} of ${arm}: ${units} of ${rules.unitsMin}`);
  }
  if (lengthMs < rules.lengthMinMs) {
    missing.push(`time: ${wordsOfMs(lengthMs)} of ${wordsOfMs(rules.lengthMinMs)}`);
  }
  return missing;
}

function shipping(data: DecisionData, rules: DecisionRules): Decision | undefined {
  const primary = primaryOf(data);
  const guardrails = data.metrics.filter(({ role }) => role === "guardrail");
  if (primary === undefined && guardrails.length === 0) return undefined; // nothing speaks for any arm
  const safe = data.arms.flatMap(({ arm }) =>
    arm !== rules.control && guardrails.every((one) => of(one, arm)?.state === "safe") ? [arm] : [],
  );
  if (primary === undefined) {
    const [arm] = safe;
    return arm === undefined ? undefined : { kind: "ship", arm, why: safeWords(guardrails, arm) };
  }
  const sign = primary.goal === "increase" ? 1 : -1;
  const [best] = primary.comparisons
    .filter(({ arm, state }) => state === "better" && safe.includes(arm))
    .toSorted((a, b) => sign * ((b.difference ?? 0) - (a.difference ?? 0)));
  if (best === undefined) return undefined;
  const why = [metricWords(primary, best), ...guardrailWords(guardrails, best.arm)].join("; ");
  return { kind: "ship", arm: best.arm, why };
}

/** While one arm may still be better the others do no harm. */
function allWorse(data: DecisionData): string | undefined {
  const primary = primaryOf(data);
  if (primary === undefined) return undefined;
  const isWorse = primary.comparisons.every(({ state }) => state === "worse");
  return isWorse ? wordsOf(data, "primary", "worse").join("; ") : undefined;
}

/** What the numbers do not say yet. */
function openOf({ metrics }: DecisionData): readonly string[] {
  const deciding = metrics.filter(({ role }) => role !== "secondary");
  if (deciding.length === 0) return ["a metric: there is neither a primary one nor a guardrail"];
  return deciding.flatMap((metric) =>
    metric.comparisons
      .filter(({ state }) => state !== "better" && state !== "safe")
      .map((comparison) => metricWords(metric, comparison)),
  );
}

function wordsOf(
  { metrics }: DecisionData,
  role: MetricReport["role"],
  state: MetricComparison["state"],
): readonly string[] {
  return metrics
    .filter((metric) => metric.role === role)
    .flatMap((metric) =>
      metric.comparisons
        .filter((comparison) => comparison.state === state)
        .map((comparison) => metricWords(metric, comparison)),
    );
}

function safeWords(guardrails: readonly MetricReport[], arm: string): string {
  return `${arm} is safe, and no primary metric asks for more: ${guardrailWords(guardrails, arm).join("; ")}`;
}

function guardrailWords(guardrails: readonly MetricReport[], arm: string): readonly string[] {
  return guardrails.flatMap((metric) => {
    const comparison = of(metric, arm);
    return comparison === undefined ? [] : [metricWords(metric, comparison)];
  });
}

function primaryOf({ metrics }: DecisionData): MetricReport | undefined {
  return metrics.find(({ role }) => role === "primary");
}

function of({ comparisons }: MetricReport, arm: string): MetricComparison | undefined {
  return comparisons.find((comparison) => comparison.arm === arm);
}
