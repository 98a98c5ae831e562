import type { Tensor } from "../../core/tensor/tensor.ts";
import { joinBinary, type JoinedBody } from "../../core/tensor/join-binary.ts";
import { rawByteLength } from "../../core/tensor/raw-tensor.ts";
import { flatJson } from "../../core/tensor/write-json.ts";

/** An output of a reply, in the form the client asked for. */
export interface ReplyOutput {
  /** As the client wrote it. */
  readonly name: string;
  readonly tensor: Tensor;
  /** Raw behind the JSON, or elements in it? */
  readonly isBinary: boolean;
}

export interface InferReply {
  readonly modelName: string;
  readonly modelVersion: string;
  /** Echoed; undefined is left out. */
  readonly id: string | undefined;
  readonly outputs: readonly ReplyOutput[];
}

/** Writes the body of an inference reply; numbers that are not finite are null in JSON and exact in binary. */
export function writeInferReply({ modelName, modelVersion, id, outputs }: InferReply): JoinedBody {
  const tensors = outputs.map(({ name, tensor, isBinary }) => {
    const { shape, datatype } = tensor;
    const elements = isBinary
      ? `"parameters":{"binary_data_size":${rawByteLength(tensor)}}`
      : `"data":${flatJson(tensor)}`;
    return `{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${shape.join(",")}],${elements}}`;
  });
  const idMember = id === undefined ? "" : `"id":${JSON.stringify(id)},`;
  const json =
    `{"model_name":${JSON.stringify(modelName)},"model_version":"${modelVersion}",${idMember}` +
    `"outputs":[${tensors.join(",")}]}`;
  const binary = outputs.filter(({ isBinary }) => isBinary).map(({ tensor }) => tensor);
  return joinBinary(json, binary);
}
