import type { Tensor, TensorSpec } from "../../core/tensor/tensor.ts";
import { nestedJson, rowJson, withShortNumbers } from "../../core/tensor/write-json.ts";
import type { Datatype } from "../../core/tensor/datatype.ts";
import type { Target } from "../data-plane.ts";

/** Names of element types as NumPy has them, which the fields `data_type` and `prediction_type` use. */
const NUMPY_NAMES: Readonly<Record<Datatype, string>> = {
  BOOL: "bool",
  UINT8: "uint8",
  UINT16: "uint16",
  UINT32: "uint32",
  UINT64: "uint64",
  INT8: "int8",
  INT16: "int16",
  INT32: "int32",
  INT64: "int64",
  FP16: "float16",
  BF16: "bfloat16",
  FP32: "float32",
  FP64: "float64",
  BYTES: "str",
};

/**
 * The body of `GET /metadata`: what to send and what comes back, with the sample. For a model of one input the
 * `data_…` fields are plain values, for several they are by input name.
 */
export function serviceMetadata({ service, predictor }: Target): string {
  const { inputs, outputs, predictionOutput, sample, samplePrediction } = predictor;
  const byInput = (describe: (spec: TensorSpec, index: number) => string): string =>
    inputs.length === 1
      ? describe(inputs[0] as TensorSpec, 0)
      : `{${inputs.map((spec, i) => `${JSON.stringify(spec.name)}:${describe(spec, i)}`).join(",")}}`;
  const members = [
    `"service":${JSON.stringify(service.name)}`,
    `"model":${JSON.stringify(predictor.modelName)}`,
    `"version":"${predictor.version}"`,
    `"sha256":"${predictor.digest}"`,
    `"data_type":${byInput((spec) => `"${NUMPY_NAMES[spec.datatype]}"`)}`,
    `"data_structure":${byInput((spec, i) => `"${structure(sample?.[i]?.shape ?? spec.shape)}"`)}`,
  ];
  if (sample !== undefined) {
    members.push(
      `"data_sample":${byInput((_spec, i) => nestedJson(withShortNumbers(sample[i] as Tensor)))}`,
    );
  }
  if (predictionOutput !== undefined) {
    members.push(`"prediction_type":"${NUMPY_NAMES[predictionOutput.datatype]}"`);
    const predictionShape = samplePrediction?.shape ?? predictionOutput.shape;
    members.push(`"prediction_structure":"${structure(predictionShape)}"`);
  }
  if (samplePrediction !== undefined) {
    const json =
      samplePrediction.shape[0] === 1 ? rowJson(samplePrediction, 0) : nestedJson(samplePrediction);
    members.push(`"prediction_sample":${json}`);
  }
  const describeInput = (spec: TensorSpec): object => ({
    ...spec,
    ...predictor.inputConfig(spec.name),
  });
  if (predictor.platform === "ensemble") members.push(`"models":${JSON.stringify(predictor.id)}`);
  members.push(`"inputs":${JSON.stringify(inputs.map(describeInput))}`);
  members.push(`"outputs":${JSON.stringify(outputs)}`);
  if (predictor.labels !== undefined) members.push(`"labels":${JSON.stringify(predictor.labels)}`);
  if (predictor.fallbackReason !== undefined) {
    members.push(`"fallback":${JSON.stringify(predictor.fallbackReason)}`);
  }
  return `{${members.join(",")}}`;
}

/** A shape as Python prints a tuple, with −1 for an extent that may vary. */
function structure(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape.join()},)` : `(${shape.join(",")})`;
}
