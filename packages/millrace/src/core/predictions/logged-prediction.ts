import type { ErrorCode } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * Who the prediction was for: `primary` answered its request, `fallback` in place of what should have, `cache` came out
 * of a cache; a `shadow` is nobody's answer.
 */
export type PredictionRole = "primary" | "fallback" | "cache" | "shadow";

/** What of the inputs and the prediction is in a record: all that is allowed, or why it is not. */
export type PayloadState = "full" | "off" | "shed" | "too_large" | "failed";

/**
 * What many predictions have in common. A block of the log has each of its contexts once, so the same object is to be
 * used for all predictions that share it; plain data.
 */
export interface LogContext {
  readonly service: string;
  /** Route or call it came by: `/predict`, `/v2/infer`, `ModelInfer`, `library`. */
  readonly endpoint: string;
  /** What was to answer: of a graph the service. */
  readonly model: string;
  readonly version: string;
  /** Of the model's files; of a graph that of its steps and models. */
  readonly digest: string;
  readonly role: PredictionRole;
  /** Rule of `traffic.rules` that chose the model; undefined when none matched or there is none. */
  readonly rule: string | undefined;
  readonly experiment: string | undefined;
  readonly variant: string | undefined;
  readonly phase: number | undefined;
  /** Shadow whose prediction it is; undefined of answers. */
  readonly shadow: string | undefined;
  /** Of the live changes that were in force; 0 is none. */
  readonly overrideVersion: number;
  /** Tells the names, types and shapes of the inputs apart: eight hexadecimal digits. */
  readonly inputSchema: string;
  /** Tells what is left out or changed by `log.redact` and `log.fields` apart; empty where nothing is. */
  readonly policy: string;
  /** Names of the columns of an input, by input: those that have them in the file. */
  readonly columns: Readonly<Record<string, readonly string[]>>;
  /** Outputs that are the prediction. */
  readonly predictionOutputs: readonly string[];
  /** Names of the classes of the prediction. */
  readonly labels: readonly string[] | undefined;
  /** Element of the prediction that is its score. */
  readonly scoreIndex: number;
  readonly threshold: number | undefined;
}

/** One request of the log and what became of it. Written and read as it is; one of several rows is several table rows. */
export interface LoggedPrediction {
  readonly context: LogContext;
  /** When the request came: microseconds since 1970-01-01 UTC. */
  readonly receivedUs: number;
  /** UUIDv7. */
  readonly predictionId: string;
  readonly requestId: string | undefined;
  /** 32 hexadecimal digits of W3C trace context. */
  readonly traceId: string | undefined;
  /** Undefined when it was answered. */
  readonly errorCode: ErrorCode | undefined;
  readonly queueUs: number;
  readonly batchUs: number;
  readonly inferUs: number;
  /** From its arrival to the answer. */
  readonly totalUs: number;
  /** Rows of the request; at least 1. */
  readonly rowCount: number;
  /** Keyed hash of whom it was for; undefined where the file names no unit. */
  readonly unitHash: string | undefined;
  /** Undefined where the file says nothing of outliers, and of what failed. */
  readonly isOutlier: boolean | undefined;
  readonly outlierScore: number | undefined;
  /** Predictions it stands for: 1 divided by the probability that it was kept. */
  readonly weight: number;
  readonly payload: PayloadState;
  /** Facts of few predictions: JSON of a `LogFacts`, empty when there are none. */
  readonly facts: string;
  /** What is allowed of them; undefined when `payload` is not `full`. */
  readonly inputs: readonly Tensor[] | undefined;
  /** All outputs of the answer; undefined when there is none or `payload` is not `full`. */
  readonly outputs: readonly Tensor[] | undefined;
  /** Label and score of each row where `outputs` are not logged; undefined where they tell. */
  readonly summary: PredictionSummary | undefined;
}

export interface PredictionSummary {
  /** One a row. */
  readonly labels: readonly string[] | undefined;
  /** One a row. */
  readonly scores: readonly number[] | undefined;
}

/** What is not true of most predictions. */
export interface LogFacts {
  /** Text of the error. */
  readonly error?: string;
  readonly degraded?: string;
  readonly cache?: "hit" | "miss" | "stale";
  /** Models that ran in a graph: `a@1, b@2`. */
  readonly models?: string;
  /** Attributes of the request that the file asks for, by the name it gives them. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** The steps of a graph, as `explain` shows them. */
  readonly steps?: unknown;
  /** What the rules were asked and said, as `explain` shows it. */
  readonly rules?: unknown;
  /** Predictions of deactivated branches, by output. */
  readonly observed?: unknown;
  /** Of the arm, among the units that take part; absent when the request takes no part. */
  readonly propensity?: number;
  /** How the arm was found, as `explain` shows it. */
  readonly assignment?: unknown;
  /** Of a shadow's prediction: what it was compared with. */
  readonly comparison?: ShadowComparison;
}

/** A shadow's prediction beside the answer. */
export interface ShadowComparison {
  readonly primaryModel: string;
  /** `ok` or the code of its error. */
  readonly primaryCode: string;
  /** From arrival to answer. */
  readonly primaryUs: number;
  /** Of the model then, or of all its steps: a copy waits for others, so only this compares with what it took. */
  readonly primaryInferUs: number;
  /** Absent unless both answered. */
  readonly isAgreed?: boolean;
  readonly distance?: number;
  readonly difference?: string;
}
