import type { LogContext, LoggedPrediction } from "../core/predictions/logged-prediction.ts";
import type { Tensor } from "../core/tensor/tensor.ts";

/** 2026-11-20T12:00:00Z */
export const NOON_US = Date.UTC(2026, 10, 20, 12) * 1000;

const CONTEXT: LogContext = {
  service: "iris",
  endpoint: "/predict",
  model: "iris",
  version: "1",
  digest: "d1",
  role: "primary",
  rule: undefined,
  experiment: undefined,
  variant: undefined,
  phase: undefined,
  shadow: undefined,
  overrideVersion: 0,
  inputSchema: "00000000",
  policy: "",
  columns: {},
  predictionOutputs: ["probabilities"],
  labels: ["setosa", "versicolor", "virginica"],
  scoreIndex: 0,
  threshold: undefined,
};

/**
 * A request of the log: everything that a test does not say is that of a plain one. `number` is its place: its id, and
 * milliseconds after noon.
 */
export function logged(
  inputs: readonly Tensor[] | undefined,
  outputs: readonly Tensor[] | undefined,
  changes: Partial<LoggedPrediction> & {
    readonly of?: Partial<LogContext>;
    readonly number?: number;
  } = {},
): LoggedPrediction {
  const { of, number = 0, ...rest } = changes;
  const id = number.toString(16).padStart(12, "0");
  return {
    context: { ...CONTEXT, ...of },
    receivedUs: NOON_US + number * 1000,
    predictionId: `01992f3c-7a5e-7cc1-b6d4-${id}`,
    requestId: undefined,
    traceId: undefined,
    errorCode: undefined,
    queueUs: 1,
    batchUs: 2,
    inferUs: 30,
    totalUs: 50,
    rowCount: inputs?.[0]?.shape[0] ?? 1,
    unitHash: undefined,
    isOutlier: undefined,
    outlierScore: undefined,
    weight: 1,
    payload: "full",
    facts: "",
    inputs,
    outputs,
    summary: undefined,
    ...rest,
  };
}
