import type { Tensor } from "../../core/tensor/tensor.ts";
import { rawByteLength, writeRaw } from "../../core/tensor/raw-tensor.ts";
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

export interface InferReplyBody {
  readonly bytes: string | Uint8Array;
  /** Bytes of the JSON at the front; undefined when there is nothing else. */
  readonly jsonBytes: number | undefined;
}

/**
 * The JSON before binary tensors ends on a multiple of this, filled up with spaces: a client that received the
 * body can read tensors of any type in place.
 */
const ALIGNMENT_BYTES = 8;

/** Writes the body of an inference reply; numbers that are not finite are null in JSON and exact in binary. */
export function writeInferReply({
  modelName,
  modelVersion,
  id,
  outputs,
}: InferReply): InferReplyBody {
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
  return binary.length === 0 ? { bytes: json, jsonBytes: undefined } : joined(json, binary);
}

function joined(json: string, tensors: readonly Tensor[]): InferReplyBody {
  const length = Buffer.byteLength(json);
  const jsonBytes = Math.ceil(length / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
  const size = tensors.reduce((sum, tensor) => sum + rawByteLength(tensor), jsonBytes);
  const bytes = Buffer.allocUnsafe(size);
  bytes.write(json);
  bytes.fill(" ", length, jsonBytes);
  let at = jsonBytes;
  for (const tensor of tensors) at = writeRaw(tensor, bytes, at);
  return { bytes, jsonBytes };
}
