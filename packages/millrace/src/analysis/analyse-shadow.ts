import type { ShadowConfig } from "../config/shadow-config.ts";
import type { ShadowAnalysis } from "../core/shadow/shadow-report.ts";
import { verdict, type VerdictData } from "../core/shadow/verdict.ts";
import type { Difference } from "../core/stats/difference.ts";
import { effectiveCount } from "../core/stats/effective-count.ts";
import { meanEstimate } from "../core/stats/mean-estimate.ts";
import { normalQuantile } from "../core/stats/normal-quantile.ts";
import { sequentialBound } from "../core/stats/sequential-bound.ts";
import { wilsonInterval } from "../core/stats/wilson-interval.ts";
import type { ResultRow } from "../evaluation/result-rows.ts";
import type { QueryEngine } from "../ports/query-engine.ts";
import { latencyReport, quantileMs, type LatencyClass } from "./latency-classes.ts";
import { LogInquiry } from "./log-inquiry.ts";
import {
  shadowDifferencesSql,
  shadowLatencySql,
  shadowSumsSql,
  type ShadowScope,
} from "./shadow-sql.ts";
import { SqlParameters } from "./sql-parameters.ts";

export interface ShadowOrder {
  readonly service: string;
  readonly shadow: ShadowConfig;
  /** Pairs from here on count, milliseconds since 1970-01-01 UTC. */
  readonly sinceMs: number;
  /** Up to when the log is looked at. */
  readonly nowMs: number;
}

/** Of the bounds of the difference of errors. */
const ALPHA = 0.05;

/** The bounds of the difference of errors are tightest at as many pairs as a verdict needs, but not below these. */
const PAIRS_TUNED_MIN = 100;

const SLOWEST = 0.99;

/** Probability that one look calls the agreement too low, or latency too high, where it is not: there are many looks. */
const LOOK_ALPHA = 0.0005;

/**
 * What the prediction log says of the version that a shadow has now, and whether it passes. Everything that is heavy
 * happens in the engine.
 * @throws what the engine throws.
 */
export async function analyseShadow(
  engine: QueryEngine,
  { service, shadow, sinceMs, nowMs }: ShadowOrder,
): Promise<ShadowAnalysis> {
  const scope: ShadowScope = { service, shadow: shadow.name, sinceMs, nowMs };
  const inquiry = new LogInquiry(engine);
  const ask = (sqlOf: typeof shadowSumsSql): Promise<readonly ResultRow[]> => {
    const parameters = new SqlParameters();
    return inquiry.ask(sqlOf(scope, parameters), parameters);
  };
  const [row] = await ask(shadowSumsSql);
  const latencies = row === undefined ? [] : await ask(shadowLatencySql);
  const details = row === undefined ? [] : await ask(shadowDifferencesSql);
  const differences = details
    .filter((detail) => !detail.isTrue("is_failed"))
    .map((detail) => ({
      detail: detail.text("detail"),
      count: Math.round(detail.number("count")),
    }));
  const { data, extra } = judgedData(row, latencies, shadow.verdict.pairsMin, nowMs);
  const usualError = details.find((detail) => detail.isTrue("is_failed"))?.text("detail");
  return {
    ...data,
    computedAtMs: nowMs,
    tookMs: inquiry.tookMs,
    differences,
    verdict: verdict({ ...data, ...extra, usualError }, shadow.verdict),
  };
}

type Data = Omit<ShadowAnalysis, "computedAtMs" | "tookMs" | "differences" | "verdict">;
type Extra = Pick<VerdictData, "effectivePairs" | "agreementHigh" | "latencyRatioLow">;

function judgedData(
  row: ResultRow | undefined,
  latencies: readonly ResultRow[],
  pairsMin: number,
  nowMs: number,
): { readonly data: Data; readonly extra: Extra } {
  const value = (column: string): number => row?.number(column) ?? 0;
  const effectivePairs = effectiveCount(value("w"), value("ww"));
  const compared = effectiveCount(value("compared"), value("compared_squares"));
  const latency = latencyOf(latencies, compared);
  const fromMs = row === undefined ? undefined : value("first_us") / 1000;
  const data: Data = {
    window: { fromMs, untilMs: nowMs },
    model: row?.text("model"),
    digest: row?.text("digest"),
    pairs: Math.round(value("w")),
    compared: Math.round(value("compared")),
    agreed: Math.round(value("agreed")),
    agreement: agreementOf(value, compared),
    errors: {
      primary: Math.round(value("primary_failed")),
      shadow: Math.round(value("shadow_failed")),
    },
    errorDifference: errorDifferenceOf(value, effectivePairs, pairsMin),
    latencyMs: latency.latencyMs,
    latencyRatio: latency.ratio,
    latencyDifferenceMs: latencyDifferenceOf(value),
  };
  const agreementHigh = agreementOf(value, compared, 1 - 2 * LOOK_ALPHA)?.high;
  return { data, extra: { effectivePairs, agreementHigh, latencyRatioLow: latency.ratioLow } };
}

type Value = (column: string) => number;

/** @param count effective number of pairs that both answered. */
function agreementOf(value: Value, count: number, confidence?: number): Data["agreement"] {
  if (count === 0) return undefined;
  const share = value("agreed") / value("compared");
  return { value: share, ...wilsonInterval(share * count, count, confidence) };
}

/**
 * Of pairs that are 1 (only the shadow failed), −1 (only the answer) or 0. Their variance is that with one more of each: a
 * thousand pairs without an error do not prove that there are none.
 */
function errorDifferenceOf(value: Value, count: number, pairsMin: number): Data["errorDifference"] {
  if (count < 2) return undefined;
  const onlyShadow = (value("only_shadow_failed") / value("w")) * count;
  const onlyPrimary = (value("only_primary_failed") / value("w")) * count;
  const mean = (onlyShadow - onlyPrimary) / count;
  const doubted = (onlyShadow - onlyPrimary) / (count + 2);
  const variance = (onlyShadow + onlyPrimary + 2) / (count + 2) - doubted ** 2;
  const difference: Difference = {
    value: mean,
    standardError: Math.sqrt(variance / count),
    degrees: count - 1,
    count,
  };
  const unitsTuned = Math.max(PAIRS_TUNED_MIN, pairsMin);
  return { value: mean, ...sequentialBound(difference, { alpha: ALPHA, unitsTuned }) };
}

function latencyDifferenceOf(value: Value): Data["latencyDifferenceMs"] {
  const estimate = meanEstimate({
    weight: value("compared"),
    weightSquares: value("compared_squares"),
    sum: value("delta_us") / 1000,
    squares: value("delta_us_squares") / 1e6,
  });
  if (estimate === undefined || !Number.isFinite(estimate.interval.low)) return undefined;
  return { value: estimate.value, ...estimate.interval };
}

/** @param count effective number of pairs that both answered. */
function latencyOf(rows: readonly ResultRow[], count: number) {
  const classesOf = (side: string): LatencyClass[] =>
    rows
      .filter((row) => row.text("side") === side)
      .map((row) => ({ index: row.number("class"), count: row.number("count") }));
  const [primary, shadow] = [classesOf("primary"), classesOf("shadow")];
  const [ofPrimary, ofShadow] = [latencyReport(primary), latencyReport(shadow)];
  if (ofPrimary === undefined || ofShadow === undefined) {
    return { latencyMs: undefined, ratio: undefined, ratioLow: undefined };
  }
  // How far the rank of a quantile may be off, as a share.
  const off = normalQuantile(1 - LOOK_ALPHA) * Math.sqrt((SLOWEST * (1 - SLOWEST)) / count);
  const low = quantileMs(shadow, SLOWEST - off) ?? 0;
  const high = SLOWEST + off < 1 ? (quantileMs(primary, SLOWEST + off) ?? 0) : Infinity;
  return {
    latencyMs: { primary: ofPrimary, shadow: ofShadow },
    ratio: ofShadow.p99 / ofPrimary.p99,
    ratioLow: low / high,
  };
}
