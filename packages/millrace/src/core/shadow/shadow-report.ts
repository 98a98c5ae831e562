/** What is known of a shadow from the log: plain JSON, stored and answered as it is. */
export interface ShadowAnalysis {
  /** Milliseconds since 1970-01-01 UTC; `fromMs` undefined without a pair. */
  readonly window: { readonly fromMs: number | undefined; readonly untilMs: number };
  readonly computedAtMs: number;
  readonly tookMs: number;
  /** Version of the shadow that the numbers are about, `iris-rf@2`: the latest. */
  readonly model: string | undefined;
  readonly digest: string | undefined;
  /** Requests copied whose copy was not left out. */
  readonly pairs: number;
  /** Both answered. */
  readonly compared: number;
  readonly agreed: number;
  /** Share of `compared` with its 95 % Wilson interval. */
  readonly agreement:
    { readonly value: number; readonly low: number; readonly high: number } | undefined;
  readonly errors: { readonly primary: number; readonly shadow: number };
  /** Shadow less primary, one-sided always-valid 95 % bounds. */
  readonly errorDifference:
    { readonly value: number; readonly low: number; readonly high: number } | undefined;
  readonly latencyMs:
    { readonly primary: LatencyReport; readonly shadow: LatencyReport } | undefined;
  /** 99th percentiles, shadow by primary. */
  readonly latencyRatio: number | undefined;
  /** Mean of the paired differences, shadow less primary, with its 95 % interval. */
  readonly latencyDifferenceMs:
    { readonly value: number; readonly low: number; readonly high: number } | undefined;
  /** What differs most often. */
  readonly differences: readonly { readonly detail: string; readonly count: number }[];
  readonly verdict: ShadowVerdict;
}

export interface LatencyReport {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** `hold`: there is too little to say; no data is never a pass. */
export type ShadowVerdict =
  | { readonly kind: "pass"; readonly why: string }
  | { readonly kind: "exclude"; readonly why: string }
  | { readonly kind: "hold"; readonly why: string };
