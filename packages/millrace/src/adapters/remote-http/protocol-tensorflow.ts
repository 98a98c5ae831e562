import type { JsonValue } from "../../core/json.ts";
import type { Datatype } from "../../core/tensor/datatype.ts";
import { refuseNotFinite } from "../../core/tensor/refuse-not-finite.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { HttpReply } from "./http-call.ts";
import { listOf, objectOf } from "./json-members.ts";
import type { AskFor, Protocol, Said, SaidSpec, Specs, Written } from "./protocol.ts";
import { readPredictions } from "./protocol-kserve-v1.ts";
import type { ModelPaths } from "./remote-address.ts";
import { columnsJson, instancesJson } from "./write-rows.ts";

/** Signature that is used when the request names none. */
const DEFAULT_SIGNATURE = "serving_default";

const DATATYPES: Readonly<Record<string, Datatype>> = {
  DT_BOOL: "BOOL",
  DT_UINT8: "UINT8",
  DT_UINT16: "UINT16",
  DT_UINT32: "UINT32",
  DT_UINT64: "UINT64",
  DT_INT8: "INT8",
  DT_INT16: "INT16",
  DT_INT32: "INT32",
  DT_INT64: "INT64",
  DT_HALF: "FP16",
  DT_BFLOAT16: "BF16",
  DT_FLOAT: "FP32",
  DT_DOUBLE: "FP64",
  DT_STRING: "BYTES",
};

/**
 * TensorFlow Serving's REST API. Requests go row by row (`instances`) where the first axis of every input and output
 * counts rows, else tensor by tensor (`inputs`); either form of reply is read. Text is sent as text, and as base64 for
 * inputs whose names end in `_bytes`.
 */
export class TensorflowProtocol implements Protocol {
  readonly path: string;
  readonly isBinary = false;
  readonly #metadataPath: string;
  #signature = DEFAULT_SIGNATURE;

  constructor({ model }: ModelPaths) {
    this.path = `${model}:predict`;
    this.#metadataPath = `${model}/metadata`;
  }

  readonly describe = async (ask: AskFor): Promise<Said | undefined> => {
    const metadata = objectOf(objectOf(await ask(this.#metadataPath))["metadata"]);
    const signatures = objectOf(objectOf(metadata["signature_def"])["signature_def"]);
    const name = signatureOf(Object.keys(signatures));
    if (name === undefined) return undefined;
    this.#signature = name;
    const { inputs, outputs } = objectOf(signatures[name]);
    return { inputs: specsOf(inputs), outputs: specsOf(outputs) };
  };

  write(inputs: readonly Tensor[], { outputs }: Specs): Written {
    refuseNotFinite(inputs);
    const signature = this.#signature;
    const named =
      signature === DEFAULT_SIGNATURE ? "" : `"signature_name":${JSON.stringify(signature)},`;
    const values = countsRows(inputs, outputs)
      ? `"instances":${instancesJson(inputs, true)}`
      : `"inputs":${columnsJson(inputs, true)}`;
    return { body: `{${named}${values}}`, headers: {} };
  }

  read(reply: HttpReply, { outputs }: Specs): Tensor[] {
    return readPredictions(reply.bytes, outputs, ["predictions", "outputs"]);
  }
}

/** The default one, else the only one that is no part of loading. */
function signatureOf(names: readonly string[]): string | undefined {
  if (names.includes(DEFAULT_SIGNATURE)) return DEFAULT_SIGNATURE;
  const [only, second] = names.filter((name) => !name.startsWith("__"));
  return second === undefined ? only : undefined;
}

function countsRows(inputs: readonly Tensor[], outputs: Specs["outputs"]): boolean {
  const rows = inputs[0]?.shape[0];
  if (rows === undefined || inputs.some(({ shape }) => shape[0] !== rows)) return false;
  return outputs.every(({ shape }) => shape[0] === -1 || shape[0] === rows);
}

function specsOf(tensors: JsonValue | undefined): SaidSpec[] {
  return Object.entries(objectOf(tensors)).map(([name, value]) => {
    const { dtype, tensor_shape: shape } = objectOf(value);
    return {
      name,
      datatype: typeof dtype === "string" ? datatypeOf(dtype) : undefined,
      shape: shapeOf(shape),
    };
  });
}

/** Not what every object has: a server may say "constructor". */
function datatypeOf(dtype: string): Datatype | undefined {
  return Object.hasOwn(DATATYPES, dtype) ? DATATYPES[dtype] : undefined;
}

/** Extents are written as text, because they are 64 bits wide; a shape without any is that of a single value. */
function shapeOf(shape: JsonValue | undefined): readonly number[] | undefined {
  const { unknown_rank: isUnknown, dim } = objectOf(shape);
  if (shape === undefined || isUnknown === true) return undefined;
  const extents = listOf(dim).map((each) => Number(objectOf(each)["size"] ?? -1));
  return extents.every((extent) => Number.isSafeInteger(extent) && extent >= -1)
    ? extents
    : undefined;
}
