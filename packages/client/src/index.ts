export { MillraceClient } from "./client.ts";
export type {
  Health,
  InferResult,
  MillraceClientOptions,
  ModelMetadata,
  PredictInput,
  Prediction,
  PredictOptions,
  TensorSpec,
} from "./client.ts";
export { MillraceClientError } from "./client-error.ts";
export type { ClientCode, Problem } from "./client-error.ts";
export type { Clock } from "./clock.ts";
export type {
  Feedback,
  FeedbackFacts,
  FeedbackLabel,
  FeedbackOptions,
  FeedbackReport,
  FeedbackSubject,
} from "./feedback.ts";
export type { InferRequest } from "./infer-message.ts";
export type { JsonInput, JsonValue } from "./json.ts";
export type { RetryOptions } from "./retry-policy.ts";
export type { Datatype, DatatypeArrays, Tensor, TensorInput } from "./tensor.ts";
export type { CallOptions } from "./transport.ts";
