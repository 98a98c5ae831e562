import type { JsonValue } from "../../core/json.ts";
import { bodyError } from "../../core/tensor/body-error.ts";
import { isDatatype } from "../../core/tensor/datatype.ts";
import { readInferReply } from "../../core/tensor/read-infer-reply.ts";
import { refuseNotFinite } from "../../core/tensor/refuse-not-finite.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { writeInferRequest } from "../../core/tensor/write-infer-request.ts";
import type { HttpReply } from "./http-call.ts";
import { listOf, objectOf } from "./json-members.ts";
import type { AskFor, Protocol, Said, SaidSpec, Specs, Written } from "./protocol.ts";
import type { ModelPaths } from "./remote-address.ts";

const JSON_BYTES = "inference-header-content-length";
const BINARY_TYPE = "application/octet-stream";

/** The Open Inference Protocol over HTTP: Triton, KServe, MLServer, Millrace. Binary where the server knows that form. */
export class OipProtocol implements Protocol {
  readonly path: string;
  readonly #paths: ModelPaths;
  #isBinary = false;

  constructor(paths: ModelPaths) {
    this.#paths = paths;
    this.path = `${paths.model}/infer`;
  }

  get isBinary(): boolean {
    return this.#isBinary;
  }

  readonly describe = async (ask: AskFor): Promise<Said | undefined> => {
    const { extensions } = objectOf(await ask(this.#paths.server));
    this.#isBinary = listOf(extensions).includes("binary_tensor_data");
    const model = objectOf(await ask(this.#paths.model));
    const { inputs, outputs } = model;
    if (inputs === undefined && outputs === undefined) return undefined;
    return { inputs: specsOf(inputs), outputs: specsOf(outputs) };
  };

  write(inputs: readonly Tensor[], { outputs }: Specs): Written {
    const isBinary = this.#isBinary;
    if (!isBinary) refuseNotFinite(inputs);
    const names = outputs.map(({ name }) => name);
    const { bytes, jsonBytes } = writeInferRequest(inputs, names, isBinary);
    if (jsonBytes === undefined) return { body: bytes, headers: {} };
    return {
      body: bytes,
      headers: { "content-type": BINARY_TYPE, [JSON_BYTES]: String(jsonBytes) },
    };
  }

  read({ headers, bytes }: HttpReply, { outputs }: Specs): Tensor[] {
    const header = headers[JSON_BYTES];
    if (header === undefined) return readInferReply(bytes, outputs);
    const jsonBytes = typeof header === "string" && /^\d{1,10}$/.test(header) ? Number(header) : -1;
    if (jsonBytes < 0 || jsonBytes > bytes.length) {
      throw bodyError(["headers", JSON_BYTES], `expected a length up to ${bytes.length}`);
    }
    return readInferReply(bytes.subarray(0, jsonBytes), outputs, bytes.subarray(jsonBytes));
  }
}

function specsOf(tensors: JsonValue | undefined): SaidSpec[] {
  return listOf(tensors).map((value) => {
    const { name, datatype, shape } = objectOf(value);
    return {
      name: typeof name === "string" ? name : "",
      datatype: typeof datatype === "string" && isDatatype(datatype) ? datatype : undefined,
      shape: shapeOf(shape),
    };
  });
}

function shapeOf(shape: JsonValue | undefined): readonly number[] | undefined {
  if (!Array.isArray(shape)) return undefined;
  const isShape = shape.every((extent: JsonValue) => Number.isSafeInteger(extent));
  // Some servers write another negative number, or 0, for what varies; only −1 means it here.
  return isShape && shape.every((extent: number) => extent >= -1) ? (shape as number[]) : undefined;
}
