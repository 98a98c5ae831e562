import { MillraceError, type Problem } from "../errors.ts";
import type { JsonValue } from "../json.ts";
import { JsonReader, type JsonKind } from "../json-reader.ts";
import { DATATYPES, isDatatype, type Datatype } from "./datatype.ts";
import {
  parametersOf,
  refuseSharedMemory,
  wholeParameter,
  type InferParameters,
} from "./infer-parameters.ts";
import { matchInputs, type InputEntry } from "./match-inputs.ts";
import { RANK_MAX, readJsonArray } from "./read-json-array.ts";
import { namesOf } from "./read-rows.ts";
import { elementCountOf, type Tensor, type TensorSpec } from "./tensor.ts";

/** A request of the Open Inference Protocol, its inputs checked against the model. */
export interface InferRequest {
  /** Echoed in the reply; undefined when the client gave none. */
  readonly id: string | undefined;
  /** One per input of the model, in the model's order. */
  readonly inputs: readonly Tensor[];
  /** The requested outputs, in the client's order; undefined asks for all. */
  readonly outputs: readonly OutputRequest[] | undefined;
  /** Of the request as a whole. */
  readonly parameters: InferParameters | undefined;
}

export interface OutputRequest {
  readonly name: string;
  readonly parameters: InferParameters | undefined;
}

/** More inputs than any model has: a body of a million empty ones is refused early. */
const INPUTS_MAX = 1_000;
const OUTPUTS_MAX = 1_000;

/** One entry of `inputs` as it stands in the body. */
interface JsonInput extends InputEntry {
  readonly location: readonly (string | number)[];
  /** Where `data` stands when it came before `datatype`. */
  dataOffset?: number;
  /** Bytes of this input behind the JSON. */
  binaryBytes?: number;
}

/**
 * Reads the body of `POST /v2/models/{m}/infer`. Unknown members are ignored, as the protocol asks.
 *
 * @param json all of the body, or with the binary tensor extension its first part.
 * @param binary the rest: raw tensors of those inputs that say so, in their order; undefined when the request does
 * not use the extension. Numbers become views of it where they are aligned, so it must not change afterwards.
 * @throws INVALID_JSON, INVALID_BODY, INVALID_TENSOR; NOT_IMPLEMENTED for shared memory.
 */
export function readInferRequest(
  json: Uint8Array,
  specs: readonly TensorSpec[],
  binary?: Uint8Array,
): InferRequest {
  const reader = new JsonReader(json);
  const problems: Problem[] = [];
  let id: string | undefined;
  let entries: JsonInput[] | undefined;
  let outputs: OutputRequest[] | undefined;
  let parameters: InferParameters | undefined;
  expectKind(reader, "object", ["body"], 'an object with "inputs"');
  reader.enterObject();
  for (let isFirst = true; ; isFirst = false) {
    const key = reader.nextKey(isFirst);
    if (key === undefined) break;
    if (key === "id" && reader.peek() === "string") id = reader.readString();
    else if (key === "inputs") entries = readInputs(reader, problems);
    else if (key === "outputs") outputs = readOutputs(reader);
    else if (key === "parameters") parameters = parametersOf(reader.readValue(), ["body", key]);
    else reader.skipValue();
  }
  reader.end();
  if (entries === undefined) {
    throw invalid(["body", "inputs"], `missing, expected a list with ${namesOf(specs)}`);
  }
  for (const entry of entries) {
    if (entry.dataOffset === undefined || entry.datatype === undefined) continue;
    reader.seek(entry.dataOffset);
    readData(reader, entry, problems);
  }
  assignBinary(entries, binary);
  return { id, inputs: matchInputs(entries, specs, problems), outputs, parameters };
}

function readInputs(reader: JsonReader, problems: Problem[]): JsonInput[] {
  expectKind(reader, "array", ["body", "inputs"], "a list of inputs");
  const entries: JsonInput[] = [];
  reader.enterArray();
  while (reader.nextElement(entries.length === 0)) {
    if (entries.length === INPUTS_MAX) {
      throw invalid(["body", "inputs"], `found more than ${INPUTS_MAX} inputs`);
    }
    entries.push(readInput(reader, ["body", "inputs", entries.length], problems));
  }
  return entries;
}

function readInput(
  reader: JsonReader,
  location: readonly (string | number)[],
  problems: Problem[],
): JsonInput {
  const entry: JsonInput = { location };
  expectKind(reader, "object", location, "an object with name, shape, datatype and data");
  reader.enterObject();
  for (let isFirst = true; ; isFirst = false) {
    const key = reader.nextKey(isFirst);
    if (key === undefined) return entry;
    switch (key) {
      case "name":
        expectKind(reader, "string", [...location, key], "a string");
        entry.name = reader.readString();
        break;
      case "shape":
        entry.shape = readShape(reader, [...location, key]);
        break;
      case "datatype":
        entry.datatype = readDatatype(reader, [...location, key]);
        break;
      case "data":
        readData(reader, entry, problems);
        break;
      case "parameters":
        readInputParameters(reader, entry);
        break;
      default:
        reader.skipValue();
    }
  }
}

function readShape(reader: JsonReader, location: readonly (string | number)[]): number[] {
  const value = expectKind(reader, "array", location, "a list of extents") && reader.readValue();
  const shape = value as number[]; // elementCountOf refuses what is no whole number
  if (shape.length > RANK_MAX) {
    throw invalid(
      location,
      `found ${shape.length} extents, at most ${RANK_MAX} are taken`,
      "shape",
    );
  }
  if (elementCountOf(shape) !== undefined) return shape;
  throw invalid(
    location,
    "expected whole numbers of at least 0, whose product is at most 2^53 - 1",
    "shape",
  );
}

function readDatatype(reader: JsonReader, location: readonly (string | number)[]): Datatype {
  expectKind(reader, "string", location, "a datatype");
  const datatype = reader.readString();
  if (isDatatype(datatype)) return datatype;
  const known = Object.keys(DATATYPES).join(", ");
  throw invalid(
    location,
    `found ${JSON.stringify(datatype)}, expected one of ${known}`,
    "datatype",
  );
}

function readData(reader: JsonReader, entry: JsonInput, problems: Problem[]): void {
  const location = [...entry.location, "data"];
  expectKind(reader, "array", location, "an array");
  if (entry.datatype === undefined) {
    entry.dataOffset = reader.offset;
    reader.skipValue();
    return;
  }
  entry.data = readJsonArray(reader, entry.datatype, location, problems).data;
}

function readInputParameters(reader: JsonReader, entry: JsonInput): void {
  const location = [...entry.location, "parameters"];
  const parameters = parametersOf(reader.readValue(), location);
  refuseSharedMemory(parameters, location);
  const binaryBytes = wholeParameter(parameters, "binary_data_size", location);
  if (binaryBytes !== undefined) entry.binaryBytes = binaryBytes;
}

/** Gives each input that has no `data` but a size its part of the bytes behind the JSON. */
function assignBinary(entries: readonly JsonInput[], binary: Uint8Array | undefined): void {
  let end = 0;
  for (const entry of entries) {
    const { binaryBytes, location } = entry;
    if (binaryBytes === undefined || entry.data !== undefined || entry.dataOffset !== undefined) {
      continue;
    }
    const path = [...location, "parameters", "binary_data_size"];
    if (binary === undefined) {
      throw invalid(path, "the header inference-header-content-length is missing", "missing");
    }
    const left = binary.length - end;
    if (binaryBytes > left) {
      throw invalid(path, `found ${binaryBytes}, ${left} bytes are left in the body`, "shape");
    }
    entry.raw = binary.subarray(end, end + binaryBytes);
    end += binaryBytes;
  }
  if (binary === undefined || end === binary.length) return;
  const message = `found ${binary.length} bytes behind the JSON, its inputs have ${end} (binary_data_size)`;
  throw invalid(["body"], message, "shape");
}

function readOutputs(reader: JsonReader): OutputRequest[] | undefined {
  if (reader.peek() === "null") {
    reader.readNull();
    return undefined;
  }
  expectKind(reader, "array", ["body", "outputs"], "a list of outputs");
  const outputs: OutputRequest[] = [];
  reader.enterArray();
  while (reader.nextElement(outputs.length === 0)) {
    const location = ["body", "outputs", outputs.length];
    if (outputs.length === OUTPUTS_MAX) {
      throw invalid(["body", "outputs"], `found more than ${OUTPUTS_MAX} outputs`);
    }
    expectKind(reader, "object", location, "an object with the name of an output");
    const { name, parameters } = reader.readValue() as { readonly [key: string]: JsonValue };
    if (typeof name !== "string") {
      throw invalid([...location, "name"], "expected the name of an output");
    }
    outputs.push({ name, parameters: parametersOf(parameters, [...location, "parameters"]) });
  }
  return outputs;
}

function expectKind(
  reader: JsonReader,
  kind: JsonKind,
  location: readonly (string | number)[],
  expected: string,
): true {
  if (reader.peek() === kind) return true;
  throw invalid(location, `found ${reader.peek()}, expected ${expected}`);
}

function invalid(
  location: readonly (string | number)[],
  message: string,
  type = "body",
): MillraceError {
  return new MillraceError("INVALID_BODY", `Cannot read ${location.join(".")}: ${message}`, {
    problems: [{ location, message, type }],
  });
}
