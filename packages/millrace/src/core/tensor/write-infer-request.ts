import { joinBinary, type JoinedBody } from "./join-binary.ts";
import { rawByteLength } from "./raw-tensor.ts";
import type { Tensor } from "./tensor.ts";
import { flatJson } from "./write-json.ts";

/**
 * Writes the body of `POST /v2/models/{m}/infer`.
 * @param outputs names of those to compute. @param isBinary inputs behind the JSON, and outputs asked for in that
 * form, as the binary tensor extension has it; else all of it is JSON, where NaN and ±Infinity are `null`.
 * @throws NOT_IMPLEMENTED for FP16 and BF16 as JSON.
 */
export function writeInferRequest(
  inputs: readonly Tensor[],
  outputs: readonly string[],
  isBinary: boolean,
): JoinedBody {
  const asBinary = isBinary ? ',"parameters":{"binary_data":true}' : "";
  const inputsJson = inputs.map((tensor) => {
    const { name, datatype, shape } = tensor;
    const elements = isBinary
      ? `"parameters":{"binary_data_size":${rawByteLength(tensor)}}`
      : `"data":${flatJson(tensor)}`;
    return `{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${shape.join(",")}],${elements}}`;
  });
  const outputsJson = outputs.map((name) => `{"name":${JSON.stringify(name)}${asBinary}}`);
  const json = `{"inputs":[${inputsJson.join(",")}],"outputs":[${outputsJson.join(",")}]}`;
  return joinBinary(json, isBinary ? inputs : []);
}
