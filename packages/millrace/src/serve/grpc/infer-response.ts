import {
  spanBytes,
  varintBytes,
  writeSpanHeader,
  writeVarint,
} from "../../core/protobuf/wire-writer.ts";
import { rawByteLength, writeRaw } from "../../core/tensor/raw-tensor.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { closeFrame, FRAME_HEAD_BYTES } from "./message-frames.ts";

/** What a `ModelInferResponse` says. */
export interface InferResponse {
  readonly modelName: string;
  readonly modelVersion: string;
  /** Left out when it is empty. */
  readonly id: string;
  /** Says that no further reply to this request follows, for a stream whose client wants that said. */
  readonly saysFinal: boolean;
  /** Under the names that the client is to see. */
  readonly outputs: readonly Tensor[];
}

/** Tags of `ModelInferResponse` and of its `InferOutputTensor`: every field is text, bytes, a message or packed. */
const RESPONSE = { modelName: 10, modelVersion: 18, id: 26, parameters: 34, outputs: 42, raw: 50 };
const OUTPUT = { name: 10, datatype: 18, shape: 26 };

/** `triton_final_response: InferParameter { bool_param: true }` as an entry of the map, without its own header. */
const FINAL = Buffer.from("\n\u0015triton_final_response\u0012\u0002\b\u0001", "latin1");

/** Tag of `infer_response` in `ModelStreamInferResponse`. */
const STREAM_INFER_RESPONSE = 18;

/**
 * Writes a `ModelInferResponse` with raw contents as a frame: one buffer of exactly its size.
 * @param isInStream puts it into a `ModelStreamInferResponse`.
 */
export function inferResponseFrame(response: InferResponse, isInStream: boolean): Buffer {
  const sizes = sizesOf(response);
  const messageBytes = isInStream ? spanBytes(sizes.total) : sizes.total;
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + messageBytes);
  let start = FRAME_HEAD_BYTES;
  if (isInStream) start = writeSpanHeader(frame, STREAM_INFER_RESPONSE, sizes.total, start);
  writeResponse(response, sizes, frame, start);
  return closeFrame(frame);
}

function writeResponse(response: InferResponse, sizes: Sizes, target: Buffer, start: number): void {
  let at = writeText(target, RESPONSE.modelName, response.modelName, start);
  at = writeText(target, RESPONSE.modelVersion, response.modelVersion, at);
  if (response.id !== "") at = writeText(target, RESPONSE.id, response.id, at);
  if (response.saysFinal) {
    at = writeSpanHeader(target, RESPONSE.parameters, FINAL.length, at);
    at += FINAL.copy(target, at);
  }
  const { outputs } = response;
  for (let i = 0; i < outputs.length; i++) {
    at = writeSpanHeader(target, RESPONSE.outputs, sizes.outputs[i] as number, at);
    at = writeOutput(target, outputs[i] as Tensor, at);
  }
  for (let i = 0; i < outputs.length; i++) {
    at = writeSpanHeader(target, RESPONSE.raw, sizes.raw[i] as number, at);
    at = writeRaw(outputs[i] as Tensor, target, at);
  }
}

interface Sizes {
  total: number;
  readonly outputs: number[];
  readonly raw: number[];
}

function sizesOf({ modelName, modelVersion, id, saysFinal, outputs }: InferResponse): Sizes {
  const sizes: Sizes = {
    total: textBytes(modelName) + textBytes(modelVersion),
    outputs: [],
    raw: [],
  };
  if (id !== "") sizes.total += textBytes(id);
  if (saysFinal) sizes.total += spanBytes(FINAL.length);
  for (const output of outputs) {
    const outputBytes =
      textBytes(output.name) + textBytes(output.datatype) + spanBytes(shapeBytes(output.shape));
    const rawBytes = rawByteLength(output);
    sizes.outputs.push(outputBytes);
    sizes.raw.push(rawBytes);
    sizes.total += spanBytes(outputBytes) + spanBytes(rawBytes);
  }
  return sizes;
}

function textBytes(text: string): number {
  return spanBytes(Buffer.byteLength(text));
}

function shapeBytes(shape: readonly number[]): number {
  let bytes = 0;
  for (const extent of shape) bytes += varintBytes(extent);
  return bytes;
}

function writeOutput(target: Buffer, { name, datatype, shape }: Tensor, offset: number): number {
  let at = writeText(target, OUTPUT.name, name, offset);
  at = writeText(target, OUTPUT.datatype, datatype, at);
  at = writeSpanHeader(target, OUTPUT.shape, shapeBytes(shape), at);
  for (const extent of shape) at = writeVarint(target, extent, at);
  return at;
}

function writeText(target: Buffer, tag: number, text: string, offset: number): number {
  const at = writeSpanHeader(target, tag, Buffer.byteLength(text), offset);
  return at + target.write(text, at);
}
