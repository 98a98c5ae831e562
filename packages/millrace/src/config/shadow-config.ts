/** When a prediction of a shadow is as good as the answer. */
export type CompareConfig =
  | { readonly kind: "auto" | "equal" | "label" }
  /** Absolute and relative. */
  | { readonly kind: "tolerance"; readonly tolerance: number }
  | { readonly kind: "top-k"; readonly k: number }
  /** Absolute path of a module: `export default (answer, shadow) => boolean`, or `{ isAgreed, distance?, detail? }`. */
  | { readonly kind: "function"; readonly path: string };

/** One of `traffic.shadow` of a service. */
export interface ShadowConfig {
  readonly name: string;
  /** Model or service that gets the copies; a step that is written in place has a service of its own, `<service>.<shadow>`. */
  readonly to: string;
  /** Share of the requests, 0 to 1. */
  readonly share: number;
  readonly compare: CompareConfig;
  /** Undefined: twice the 99th percentile of what answers, at least 1 s, at most 10 s. */
  readonly timeoutMs: number | undefined;
  /** Copies in work at a time, in each process. */
  readonly concurrency: number;
  /** Copies that wait, in each process. */
  readonly queue: number;
  /** It gets nothing. */
  readonly isExcluded: boolean;
  readonly verdict: ShadowVerdictConfig;
}

export interface ShadowVerdictConfig {
  /** Least share of pairs that agree. */
  readonly agreementMin: number;
  /** Difference of the shares that fail, shadow less answer. */
  readonly errorDifferenceMax: number;
  /** 99th percentiles of latency, shadow by answer. */
  readonly latencyRatioMax: number;
  readonly pairsMin: number;
  readonly lengthMinMs: number;
  readonly everyMs: number;
  /** Is the shadow stopped when its verdict is `exclude`? */
  readonly excludes: boolean;
}
