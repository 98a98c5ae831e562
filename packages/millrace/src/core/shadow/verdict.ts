import { wordsOfMs } from "../release/words-of-ms.ts";
import type { ShadowAnalysis, ShadowVerdict } from "./shadow-report.ts";

/** What a shadow has to keep to. */
export interface VerdictRules {
  readonly agreementMin: number;
  readonly errorDifferenceMax: number;
  readonly latencyRatioMax: number;
  readonly pairsMin: number;
  readonly lengthMinMs: number;
}

/** What is judged. */
export type VerdictData = Pick<
  ShadowAnalysis,
  "window" | "pairs" | "compared" | "agreement" | "errors" | "errorDifference" | "latencyRatio"
> & {
  /** Pairs of equal weight that would tell as much as those of the log, which may be a sample. */
  readonly effectivePairs: number;
  /** The agreement is below this, almost surely: a verdict is asked for all the time. */
  readonly agreementHigh: number | undefined;
  /** Likewise, the ratio is above this. */
  readonly latencyRatioLow: number | undefined;
  /** Error of the shadow that is most frequent. */
  readonly usualError: string | undefined;
};

/**
 * Pairs from which on a shadow may be excluded for its errors: their bound holds at every look. A breaker opens after as
 * many calls that failed, and then hardly any come.
 */
const ERROR_PAIRS_MIN = 20;

/** Pairs from which on a 99th percentile is one: ten lie above it. */
const LATENCY_PAIRS_MIN = 1000;

/**
 * - `exclude` at once when more of it fails than is allowed, however early; and when there are enough pairs and it surely
 *   disagrees too often or is too slow.
 * - `pass` when there are enough pairs and it surely agrees, surely does not fail more often, and is not slower.
 * - `hold` in between, and without enough pairs: no data is never a pass.
 */
export function verdict(data: VerdictData, rules: VerdictRules): ShadowVerdict {
  const failing = tooManyErrors(data, rules);
  if (failing !== undefined) return { kind: "exclude", why: failing };
  const missing = missingOf(data, rules);
  if (missing.length > 0) {
    const why = `waits for ${missing.join("; ")}`;
    return { kind: "hold", why: `${why}${usualErrorWords(data)}` };
  }
  const wrong = surelyWrong(data, rules);
  if (wrong.length > 0) return { kind: "exclude", why: wrong.join("; ") };
  const open = openOf(data, rules);
  if (open.length > 0) {
    return { kind: "hold", why: `waits for ${open.join("; ")}${usualErrorWords(data)}` };
  }
  return {
    kind: "pass",
    why: `${agreementWords(data)}; ${errorWords(data)}; ${latencyWords(data)}`,
  };
}

function tooManyErrors(data: VerdictData, rules: VerdictRules): string | undefined {
  const { errorDifference, effectivePairs } = data;
  if (errorDifference === undefined || effectivePairs < ERROR_PAIRS_MIN) return undefined;
  if (errorDifference.low <= rules.errorDifferenceMax) return undefined;
  const most = `at most ${percent(rules.errorDifferenceMax)} is allowed`;
  return `${errorWords(data)}, ${most}${usualErrorWords(data)}`;
}

function missingOf(data: VerdictData, rules: VerdictRules): readonly string[] {
  const { window, effectivePairs, compared } = data;
  const missing: string[] = [];
  const pairs = Math.floor(effectivePairs);
  if (pairs < rules.pairsMin) missing.push(`pairs: ${pairs} of ${rules.pairsMin}`);
  const lengthMs = window.fromMs === undefined ? 0 : window.untilMs - window.fromMs;
  if (lengthMs < rules.lengthMinMs) {
    missing.push(`time: ${wordsOfMs(lengthMs)} of ${wordsOfMs(rules.lengthMinMs)}`);
  }
  if (compared === 0) missing.push("a pair in which both answered");
  return missing;
}

function surelyWrong(data: VerdictData, rules: VerdictRules): readonly string[] {
  const { agreementHigh, compared, latencyRatioLow } = data;
  const wrong: string[] = [];
  if (agreementHigh !== undefined && agreementHigh < rules.agreementMin) {
    wrong.push(`${agreementWords(data)}, at least ${percent(rules.agreementMin)} is asked for`);
  }
  const isSlow = latencyRatioLow !== undefined && latencyRatioLow > rules.latencyRatioMax;
  if (isSlow && compared >= LATENCY_PAIRS_MIN) {
    wrong.push(`${latencyWords(data)}, at most ${times(rules.latencyRatioMax)} is allowed`);
  }
  return wrong;
}

function openOf(data: VerdictData, rules: VerdictRules): readonly string[] {
  const { agreement, errorDifference, latencyRatio } = data;
  const open: string[] = [];
  if (agreement === undefined || agreement.low < rules.agreementMin) {
    open.push(`agreement surely above ${percent(rules.agreementMin)}: ${agreementWords(data)}`);
  }
  if (errorDifference === undefined || errorDifference.high > rules.errorDifferenceMax) {
    open.push(
      `errors surely at most ${percent(rules.errorDifferenceMax)} more: ${errorWords(data)}`,
    );
  }
  if (latencyRatio === undefined || latencyRatio > rules.latencyRatioMax) {
    open.push(`latency at most ${times(rules.latencyRatioMax)}: ${latencyWords(data)}`);
  }
  return open;
}

function agreementWords({ agreement, compared }: VerdictData): string {
  if (agreement === undefined) return "nothing was compared";
  const { value, low, high } = agreement;
  return `${percent(value)} of ${compared} agree (${percent(low)} to ${percent(high)})`;
}

function errorWords({ errors, pairs, errorDifference }: VerdictData): string {
  const counts = `of ${pairs} pairs it failed in ${errors.shadow}, the answer in ${errors.primary}`;
  if (errorDifference === undefined) return counts;
  const { value, low, high } = errorDifference;
  return `${counts}: ${percent(value)} more (${percent(low)} to ${percent(high)})`;
}

function usualErrorWords({ usualError }: VerdictData): string {
  return usualError === undefined ? "" : `; it failed most often with: ${usualError}`;
}

function latencyWords({ latencyRatio }: VerdictData): string {
  return latencyRatio === undefined
    ? "its latency is not known"
    : `its p99 of latency is ${times(latencyRatio)} that of the answer`;
}

/** `98.76 %`; bounds of few pairs may lie beyond what a share can be. */
function percent(share: number): string {
  const text = String(Number((share * 100).toFixed(2)));
  return `${text.replace("-", "−")} %`;
}

function times(ratio: number): string {
  return `${Number(ratio.toFixed(2))} times`;
}
