import type { Tensor as OrtTensor } from "onnxruntime-node";
import { MillraceError } from "../../core/errors.ts";
import type { Datatype, TensorData } from "../../core/tensor/datatype.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";

/** Every element type that onnxruntime-node can carry. BF16, 4-bit and complex types are missing in it. */
const DATATYPE_OF_ORT: Partial<Record<OrtTensor.Type, Datatype>> = {
  bool: "BOOL",
  uint8: "UINT8",
  uint16: "UINT16",
  uint32: "UINT32",
  uint64: "UINT64",
  int8: "INT8",
  int16: "INT16",
  int32: "INT32",
  int64: "INT64",
  float16: "FP16",
  float32: "FP32",
  float64: "FP64",
  string: "BYTES",
};

const ORT_OF_DATATYPE = Object.fromEntries(
  Object.entries(DATATYPE_OF_ORT).map(([ort, datatype]) => [datatype, ort]),
) as Partial<Record<Datatype, OrtTensor.Type>>;

export function datatypeOfOrt(type: OrtTensor.Type): Datatype | undefined {
  return DATATYPE_OF_ORT[type];
}

/**
 * Wraps `tensor` for onnxruntime without copying its numbers.
 *
 * The result has the fields of ort.Tensor but is not made by its constructor: on Node ≥ 24 that one turns FP16
 * data into a Float16Array, which the native part of onnxruntime-node 1.30 does not know ("not enough space").
 * @throws INVALID_TENSOR when a string holds a NUL character, where onnxruntime-node would silently cut it.
 */
export function toOrtTensor(tensor: Tensor): OrtTensor {
  if (tensor.datatype === "BYTES") refuseNul(tensor);
  const fields = {
    type: ORT_OF_DATATYPE[tensor.datatype],
    dims: tensor.shape,
    data: tensor.data,
    location: "cpu",
  };
  return fields as unknown as OrtTensor; // the fields the native code reads, tried for every datatype
}

/** Takes over the data of `tensor`: numbers are not copied, FP16 becomes a view of its raw 16 bits. */
export function fromOrtTensor(name: string, tensor: OrtTensor): Tensor {
  const datatype = DATATYPE_OF_ORT[tensor.type];
  if (datatype === undefined) throw new TypeError(`Output type ${tensor.type} is not supported`);
  let data = tensor.data as TensorData;
  if (datatype === "FP16" && ArrayBuffer.isView(data)) {
    data = new Uint16Array(data.buffer, data.byteOffset, data.length);
  }
  return { name, datatype, shape: tensor.dims, data };
}

function refuseNul({ name, data }: Tensor): void {
  const index = (data as readonly string[]).findIndex((text) => text.includes("\0"));
  if (index === -1) return;
  const state = `element ${index} contains a NUL character, which the ONNX runtime cannot carry`;
  throw new MillraceError("INVALID_TENSOR", `Cannot run the model: input "${name}" ${state}`, {
    problems: [{ location: [name, index], message: "Contains a NUL character", type: "range" }],
  });
}
