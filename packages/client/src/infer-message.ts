import { decodeTensor } from "./decode-tensor.ts";
import { encodeTensor } from "./encode-tensor.ts";
import { isJsonObject, readJson, writeJson } from "./json.ts";
import type { Tensor, TensorInput } from "./tensor.ts";

/** What `infer` asks of a model. */
export interface InferRequest {
  readonly inputs: readonly TensorInput[];
  /** Names of the outputs wanted. Default: all. */
  readonly outputs?: readonly string[];
  /** Default: the server chooses. */
  readonly version?: string | number;
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

/*
 * The only file that knows how tensors travel. The binary tensor extension is added here: encodeInfer() puts
 * the bytes behind the JSON, decodeInfer() looks at `inference-header-content-length`. Callers see no change.
 */

/** @throws INVALID_TENSOR when an input has no JSON form. */
export function encodeInfer(request: InferRequest): InferMessage<string | Uint8Array<ArrayBuffer>> {
  const body = writeJson({
    id: request.id,
    inputs: request.inputs.map(encodeTensor),
    outputs: request.outputs?.map((name) => ({ name })),
  });
  return { headers: new Headers({ "content-type": "application/json" }), body };
}

/** @throws SyntaxError or RangeError when the reply is not what the protocol says. */
export function decodeInfer({ body }: InferMessage<Uint8Array>): InferReply {
  const reply = readJson(new TextDecoder().decode(body));
  if (!isJsonObject(reply)) throw new RangeError("it is not an object");
  const { model_name, model_version, id, outputs } = reply;
  if (typeof model_name !== "string") throw new RangeError("it has no model_name");
  if (!Array.isArray(outputs)) throw new RangeError("it has no outputs");
  return {
    model: model_name,
    version: typeof model_version === "string" ? model_version : undefined,
    id: typeof id === "string" ? id : undefined,
    outputs: outputs.map(decodeTensor),
  };
}
