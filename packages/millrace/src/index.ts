export type { ErrorCode, Problem } from "./core/errors.ts";
export { MillraceError } from "./core/errors.ts";
export type { JsonValue } from "./core/json.ts";
export type { Datatype, TensorData } from "./core/tensor/datatype.ts";
export type { Rows } from "./core/tensor/pack-rows.ts";
export type { Tensor, TensorSpec } from "./core/tensor/tensor.ts";
export type { MillraceInput } from "./config/define-config.ts";
export { defineConfig } from "./config/define-config.ts";
export type { CallOptions, LibraryPrediction, Millrace } from "./library.ts";
export type { LibraryFeedback } from "./library-feedback.ts";
export { createMillrace, InvalidConfigError } from "./library.ts";
export type {
  Declared,
  DeclaredTensor,
  FunctionContext,
  GivenValues,
  ShapedData,
  ValuesOf,
} from "./functions/declared.ts";
export type { CombineDefinition, CombinedBranch } from "./functions/define-combine.ts";
export { defineCombine } from "./functions/define-combine.ts";
export type { LoadDefinition, LoadedRecord, LoadedRecords } from "./functions/define-load.ts";
export { defineLoad } from "./functions/define-load.ts";
export type { StepDefinition } from "./functions/define-step.ts";
export { defineStep } from "./functions/define-step.ts";
export { InvalidInput } from "./functions/invalid-input.ts";
