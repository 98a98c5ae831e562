import { decodeTensor } from "./decode-tensor.ts";
import { encodeBinaryTensor, encodeTensor } from "./encode-tensor.ts";
import type { EncodedTensor } from "./encode-tensor.ts";
import { isJsonObject, readJson, writeJson } from "./json.ts";
import type { JsonValue } from "./json.ts";
import type { Tensor, TensorInput } from "./tensor.ts";

/** What `infer` asks of a model. */
export interface InferRequest {
  readonly inputs: readonly TensorInput[];
  /** Names of the outputs wanted. Default: all. */
  readonly outputs?: readonly string[];
  /** Default: the server chooses. */
  readonly version?: string | number;
  /**
   * `binary` sends typed arrays as their bytes and asks for outputs in that form: small, fast, exact. `json` is
   * for servers without the binary tensor extension. Default `binary`.
   */
  readonly encoding?: "binary" | "json";
  /** Echoed as `id` of the result. */
  readonly id?: string;
}

/** The reply's body, as typed arrays. */
export interface InferReply {
  readonly model: string;
  /** Undefined when the server has no versions. */
  readonly version: string | undefined;
  /** The request's `id`. */
  readonly id: string | undefined;
  readonly outputs: readonly Tensor[];
}

/** A body with the headers that say how to read it. */
export interface InferMessage<B> {
  readonly headers: Headers;
  readonly body: B;
}

/** Bytes of the JSON when others follow; the one header of the binary tensor extension. */
const JSON_LENGTH = "inference-header-content-length";

/** The JSON is filled up to a multiple of this, so that the server can read any type in place. */
const ALIGNMENT_BYTES = 8;

/*
 * The only file that knows how a message with tensors is laid out: JSON, and behind it the bytes of those tensors
 * that the JSON gives only a size of.
 */

/** @throws INVALID_TENSOR when an input is wrong, or has no JSON form and is to have it. */
export function encodeInfer(request: InferRequest): InferMessage<string | Uint8Array<ArrayBuffer>> {
  const isBinary = request.encoding !== "json";
  const inputs: readonly EncodedTensor[] = request.inputs.map((input, index) =>
    isBinary
      ? encodeBinaryTensor(input, index)
      : { members: encodeTensor(input, index), bytes: undefined },
  );
  const json = writeJson({
    id: request.id,
    inputs: inputs.map(({ members }) => members),
    outputs: request.outputs?.map((name) => ({ name })),
    parameters: isBinary ? { binary_data_output: true } : undefined,
  });
  const parts = inputs.flatMap(({ bytes }) => (bytes === undefined ? [] : [bytes]));
  return parts.length === 0
    ? { headers: new Headers({ "content-type": "application/json" }), body: json }
    : joined(json, parts);
}

function joined(json: string, parts: readonly Uint8Array[]): InferMessage<Uint8Array<ArrayBuffer>> {
  const text = new TextEncoder().encode(json);
  const jsonBytes = Math.ceil(text.length / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
  const body = new Uint8Array(parts.reduce((size, part) => size + part.length, jsonBytes));
  body.set(text);
  body.fill(0x20, text.length, jsonBytes);
  let at = jsonBytes;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  const headers = { "content-type": "application/octet-stream", [JSON_LENGTH]: String(jsonBytes) };
  return { headers: new Headers(headers), body };
}

/** @throws SyntaxError or RangeError when the reply is not what the protocol says. */
export function decodeInfer({ headers, body }: InferMessage<Uint8Array<ArrayBuffer>>): InferReply {
  let at = Number(headers.get(JSON_LENGTH) ?? body.length);
  if (!(at <= body.length)) throw new RangeError(`it has less than ${at} bytes`);
  const reply = readJson(new TextDecoder().decode(body.subarray(0, at)));
  if (!isJsonObject(reply)) throw new RangeError("it is not an object");
  const { model_name, model_version, id, outputs } = reply;
  if (typeof model_name !== "string") throw new RangeError("it has no model_name");
  if (!Array.isArray(outputs)) throw new RangeError("it has no outputs");
  const takeBytes = (size: number): Uint8Array<ArrayBuffer> => {
    const start = at;
    at += size;
    if (size >= 0 && at <= body.length) return body.subarray(start, at);
    throw new RangeError(`it has less than ${at} bytes`);
  };
  const tensors = (outputs as readonly JsonValue[]).map((output) =>
    decodeTensor(output, takeBytes),
  );
  if (at < body.length) throw new RangeError(`it has ${body.length - at} bytes too many`);
  return {
    model: model_name,
    version: typeof model_version === "string" ? model_version : undefined,
    id: typeof id === "string" ? id : undefined,
    outputs: tensors,
  };
}
