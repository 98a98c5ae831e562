import type { ServiceConfig } from "../../config/config.ts";
import type { Counter } from "../../core/metrics/metrics.ts";
import { policyOf, type PrivacyRules } from "../../core/predictions/privacy-plan.ts";
import { RunningQuantile } from "../../core/predictions/running-quantile.ts";
import { shortNumber } from "../../core/tensor/short-number.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { Predictor } from "../../models/predictor.ts";
import { PredictorLog } from "./predictor-log.ts";

/** Slower than this share of the service's predictions is worth a row in any case. */
const SLOW_SHARE = 0.99;

export interface ServiceLogOptions {
  /** As the file says it; another object is another log. */
  readonly service: ServiceConfig;
  readonly redact: PrivacyRules["redact"];
  readonly rows: Counter;
}

/** How the predictions of one service are logged. */
export class ServiceLog {
  readonly service: ServiceConfig;
  readonly policy: string;
  readonly rows: Counter;
  /** Of the milliseconds that a prediction takes. */
  readonly latency = new RunningQuantile(SLOW_SHARE);
  readonly #privacy: PrivacyRules;
  /** Weak, so that a released one is forgotten. */
  readonly #predictors = new WeakMap<Predictor, PredictorLog>();

  constructor(options: ServiceLogOptions) {
    const { service, redact, rows } = options;
    this.service = service;
    this.rows = rows;
    this.#privacy = { fields: service.log.fields, redact };
    this.policy = policyOf(this.#privacy);
  }

  of(predictor: Predictor): PredictorLog {
    let found = this.#predictors.get(predictor);
    if (found === undefined) {
      const { service, policy } = this;
      found = new PredictorLog({ service, predictor, policy, privacy: this.#privacy });
      this.#predictors.set(predictor, found);
    }
    return found;
  }

  /** The smallest score of a row; undefined where the file says nothing of outliers, or the answer has none. */
  outlierScoreOf(outputs: readonly Tensor[]): number | undefined {
    const { outlier } = this.service.log;
    if (outlier === undefined) return undefined;
    const output = outputs.find(({ name }) => name === outlier.output);
    if (output === undefined || Array.isArray(output.data)) return undefined;
    const { data, shape } = output;
    const size = data.length / (shape[0] ?? 1);
    if (!(size >= 1)) return undefined;
    let smallest = Infinity;
    for (let i = 0; i < data.length; i += size) smallest = Math.min(smallest, Number(data[i]));
    return data instanceof Float32Array ? shortNumber(smallest) : smallest;
  }
}
