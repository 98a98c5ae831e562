import { MillraceError, type Problem } from "../../core/errors.ts";
import { JsonReader } from "../../core/json-reader.ts";
import type { JsonValue } from "../../core/json.ts";
import {
  choice,
  encodeMessage,
  many,
  map,
  message,
  one,
} from "../../core/protobuf/message-type.ts";
import { bodyError, expectKind } from "../../core/tensor/body-error.ts";
import { parametersOf, type InferParameters } from "../../core/tensor/infer-parameters.ts";
import { rawByteLength, writeRaw } from "../../core/tensor/raw-tensor.ts";
import { finishEntries, readEntries, type TensorEntry } from "../../core/tensor/tensor-entries.ts";
import { elementCountOf, type Tensor } from "../../core/tensor/tensor.ts";
import { LoadInputError } from "../load-input-error.ts";

/** Whom a message is for, where it does not say so itself. */
export interface InferModel {
  readonly name: string;
  /** Empty lets the server choose. */
  readonly version: string;
}

/**
 * Makes a `ModelInferRequest` of the body of `POST /v2/models/{m}/infer`; elements go as raw contents. Members
 * `model_name` and `model_version` may stand in the body and go before `model`.
 * @throws LoadInputError when it is no such body.
 */
export function inferMessage(json: Uint8Array, model?: InferModel): Buffer {
  try {
    return encode(readBody(json), model);
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    const text = `Cannot make a gRPC message of the body: ${describe(error)}`;
    throw new LoadInputError(text, { cause: error });
  }
}

const InferParameter = message("InferParameter", {
  bool_param: choice("parameter_choice", 1, "bool"),
  int64_param: choice("parameter_choice", 2, "int64"),
  string_param: choice("parameter_choice", 3, "string"),
  double_param: choice("parameter_choice", 4, "double"),
});
const InferInputTensor = message("InferInputTensor", {
  name: one(1, "string"),
  datatype: one(2, "string"),
  shape: many(3, "int64"),
});
const InferRequestedOutputTensor = message("InferRequestedOutputTensor", {
  name: one(1, "string"),
  parameters: map(2, InferParameter),
});
const ModelInferRequest = message("ModelInferRequest", {
  model_name: one(1, "string"),
  model_version: one(2, "string"),
  id: one(3, "string"),
  parameters: map(4, InferParameter),
  inputs: many(5, InferInputTensor),
  outputs: many(6, InferRequestedOutputTensor),
  raw_input_contents: many(7, "bytes"),
});

interface InferBody {
  readonly members: Readonly<Record<string, JsonValue>>;
  readonly inputs: readonly Tensor[];
}

/** Inputs are read as they come, for the exactness of their elements; the rest is little. */
function readBody(json: Uint8Array): InferBody {
  const reader = new JsonReader(json);
  const problems: Problem[] = [];
  const members = Object.create(null) as Record<string, JsonValue>;
  let entries: TensorEntry[] | undefined;
  expectKind(reader, "object", ["body"], 'an object with "inputs"');
  reader.enterObject();
  for (let isFirst = true; ; isFirst = false) {
    const key = reader.nextKey(isFirst);
    if (key === undefined) break;
    if (key === "inputs") entries = readEntries(reader, ["body", key], problems);
    else members[key] = reader.readValue();
  }
  reader.end();
  if (entries === undefined) throw bodyError(["body", "inputs"], "missing, expected a list");
  finishEntries(reader, entries, undefined, problems);
  const [problem] = problems;
  if (problem !== undefined) throw bodyError(problem.location, problem.message);
  return { members, inputs: entries.map(toTensor) };
}

function toTensor({ location, name, datatype, shape, data }: TensorEntry): Tensor {
  const missing = (member: string) => bodyError([...location, member], "missing");
  if (name === undefined) throw missing("name");
  if (datatype === undefined) throw missing("datatype");
  if (shape === undefined) throw missing("shape");
  if (data === undefined) throw missing("data");
  const count = elementCountOf(shape);
  if (count === data.length) return { name, datatype, shape, data };
  const found = `found ${data.length} elements, shape asks for ${count ?? "more than there are"}`;
  throw bodyError([...location, "data"], found);
}

function encode({ members, inputs }: InferBody, model: InferModel | undefined): Buffer {
  const name = textOf(members, "model_name") ?? model?.name;
  if (name === undefined) throw bodyError(["body", "model_name"], "missing, nor is it in the URL");
  return encodeMessage(ModelInferRequest, {
    model_name: name,
    model_version: textOf(members, "model_version") ?? model?.version,
    id: textOf(members, "id"),
    parameters: encodable(parametersOf(members["parameters"], ["body", "parameters"])),
    inputs,
    outputs: outputsOf(members["outputs"]),
    raw_input_contents: inputs.map(rawOf),
  });
}

function rawOf(tensor: Tensor): Buffer {
  const raw = Buffer.alloc(rawByteLength(tensor));
  writeRaw(tensor, raw, 0);
  return raw;
}

function outputsOf(value: JsonValue | undefined): object[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw bodyError(["body", "outputs"], "expected a list");
  return (value as readonly JsonValue[]).map((output, i) => {
    const { name, parameters } = membersOf(output);
    const location = ["body", "outputs", i];
    if (typeof name !== "string") throw bodyError([...location, "name"], "expected a name");
    return { name, parameters: encodable(parametersOf(parameters, [...location, "parameters"])) };
  });
}

function membersOf(value: JsonValue): Readonly<Record<string, JsonValue>> {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, JsonValue>>) : {};
}

function textOf(members: InferBody["members"], key: string): string | undefined {
  const value = members[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw bodyError(["body", key], "expected a text");
}

/** Parameters as the oneof of their message. Only texts that are asked for as binary data mean nothing here. */
function encodable(parameters: InferParameters | undefined): object | undefined {
  if (parameters === undefined) return undefined;
  const entries = Object.entries(parameters).map(([key, value]) => {
    return [key, { [memberFor(value)]: value }] as const;
  });
  return Object.fromEntries(entries);
}

function memberFor(value: InferParameters[string]): string {
  if (typeof value === "boolean") return "bool_param";
  if (typeof value === "string") return "string_param";
  return typeof value === "bigint" || Number.isSafeInteger(value) ? "int64_param" : "double_param";
}

function describe({ problems, message: text }: MillraceError): string {
  const [problem] = problems ?? [];
  return problem === undefined ? text : `${problem.location.join(".")} ${problem.message}`;
}
