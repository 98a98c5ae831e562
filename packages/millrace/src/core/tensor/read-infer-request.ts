import { MillraceError, PROBLEMS_MAX, type Problem } from "../errors.ts";
import type { JsonValue } from "../json.ts";
import { JsonReader } from "../json-reader.ts";
import { DATATYPES, isDatatype, type Datatype, type TensorData } from "./datatype.ts";
import { RANK_MAX, readJsonArray } from "./read-json-array.ts";
import { invalidTensors, namesOf } from "./read-rows.ts";
import { elementCountOf, fitsShape, type Tensor, type TensorSpec } from "./tensor.ts";

/** A request of the Open Inference Protocol, checked against the model. */
export interface InferRequest {
  /** Echoed in the reply; undefined when the client gave none. */
  readonly id: string | undefined;
  /** One per input of the model, in the model's order. */
  readonly inputs: readonly Tensor[];
  /** Names of the requested outputs, in the client's order; undefined asks for all. */
  readonly outputNames: readonly string[] | undefined;
}

/** One entry of `inputs` as it stands in the body. */
interface InputEntry {
  readonly location: readonly (string | number)[];
  name?: string;
  shape?: number[];
  datatype?: Datatype;
  data?: TensorData;
  /** Where `data` stands when it came before `datatype`. */
  dataOffset?: number;
}

/**
 * Reads the JSON body of `POST /v2/models/{m}/infer`. Unknown members are ignored, as the protocol asks.
 * @throws INVALID_JSON, INVALID_BODY, INVALID_TENSOR; NOT_IMPLEMENTED for binary tensors, shared memory,
 * sequences and classification, which this version does not serve.
 */
export function readInferRequest(body: Uint8Array, specs: readonly TensorSpec[]): InferRequest {
  const reader = new JsonReader(body);
  const problems: Problem[] = [];
  let id: string | undefined;
  let entries: InputEntry[] | undefined;
  let outputNames: string[] | undefined;
  expectKind(reader, "object", ["body"], 'an object with "inputs"');
  reader.enterObject();
  for (let isFirst = true; ; isFirst = false) {
    const key = reader.nextKey(isFirst);
    if (key === undefined) break;
    if (key === "id" && reader.peek() === "string") id = reader.readString();
    else if (key === "inputs") entries = readInputs(reader, problems);
    else if (key === "outputs") outputNames = readOutputs(reader);
    else if (key === "parameters") refuseParameters(reader.readValue(), ["body", "parameters"]);
    else reader.skipValue();
  }
  reader.end();
  if (entries === undefined) {
    throw invalid(["body", "inputs"], `missing, expected a list with ${namesOf(specs)}`);
  }
  return { id, inputs: matchInputs(entries, specs, { reader, problems }), outputNames };
}

function readInputs(reader: JsonReader, problems: Problem[]): InputEntry[] {
  expectKind(reader, "array", ["body", "inputs"], "a list of inputs");
  const entries: InputEntry[] = [];
  reader.enterArray();
  while (reader.nextElement(entries.length === 0)) {
    if (entries.length === INPUTS_MAX) {
      throw invalid(["body", "inputs"], `found more than ${INPUTS_MAX} inputs`);
    }
    entries.push(readInput(reader, ["body", "inputs", entries.length], problems));
  }
  return entries;
}

/** More inputs than any model has: a body of a million empty ones is refused early. */
const INPUTS_MAX = 1_000;

function readInput(
  reader: JsonReader,
  location: readonly (string | number)[],
  problems: Problem[],
): InputEntry {
  const entry: InputEntry = { location };
  expectKind(reader, "object", location, "an object with name, shape, datatype and data");
  reader.enterObject();
  for (let isFirst = true; ; isFirst = false) {
    const key = reader.nextKey(isFirst);
    if (key === undefined) return entry;
    const at = [...location, key];
    switch (key) {
      case "name":
        expectKind(reader, "string", at, "a string");
        entry.name = reader.readString();
        break;
      case "shape":
        entry.shape = readShape(reader, at);
        break;
      case "datatype":
        entry.datatype = readDatatype(reader, at);
        break;
      case "data":
        readData(reader, entry, problems);
        break;
      case "parameters":
        refuseParameters(reader.readValue(), at);
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

function readData(reader: JsonReader, entry: InputEntry, problems: Problem[]): void {
  const location = [...entry.location, "data"];
  expectKind(reader, "array", location, "an array");
  if (entry.datatype === undefined) {
    entry.dataOffset = reader.offset;
    reader.skipValue();
    return;
  }
  entry.data = readJsonArray(reader, entry.datatype, location, problems).data;
}

function readOutputs(reader: JsonReader): string[] | undefined {
  if (reader.peek() === "null") {
    reader.readNull();
    return undefined;
  }
  expectKind(reader, "array", ["body", "outputs"], "a list of outputs");
  const outputs = reader.readValue() as JsonValue[];
  return outputs.map((output, i) => {
    const location = ["body", "outputs", i];
    const { name, parameters } = asObject(output, location);
    refuseParameters(parameters, [...location, "parameters"]);
    if (typeof name === "string") return name;
    throw invalid([...location, "name"], "expected the name of an output");
  });
}

/** Parameters that ask for something this version does not do: ignoring them would answer another question. */
const REFUSED_PARAMETERS: Readonly<Record<string, string>> = {
  binary_data_size: "binary tensors",
  binary_data: "binary tensors",
  binary_data_output: "binary tensors",
  shared_memory_region: "shared memory",
  sequence_id: "sequences",
  sequence_start: "sequences",
  sequence_end: "sequences",
  classification: "classification",
};

function refuseParameters(
  parameters: JsonValue | undefined,
  location: readonly (string | number)[],
): void {
  if (parameters === undefined || parameters === null) return;
  for (const [key, value] of Object.entries(asObject(parameters, location))) {
    const feature = Object.hasOwn(REFUSED_PARAMETERS, key) ? REFUSED_PARAMETERS[key] : undefined;
    // Saying "no" to a feature is fine without having it.
    if (feature === undefined || value === false || value === 0) continue;
    const message = `this version does not serve ${feature}`;
    throw new MillraceError("NOT_IMPLEMENTED", `Cannot use parameter "${key}": ${message}`, {
      problems: [{ location: [...location, key], message, type: "parameter" }],
    });
  }
}

interface Sink {
  readonly reader: JsonReader;
  readonly problems: Problem[];
}

function matchInputs(
  entries: readonly InputEntry[],
  specs: readonly TensorSpec[],
  sink: Sink,
): Tensor[] {
  const add = (location: Problem["location"], message: string, type: string): void => {
    if (sink.problems.length < PROBLEMS_MAX) sink.problems.push({ location, message, type });
  };
  const seen = new Set<string>();
  for (const { name, location } of entries) {
    if (name === undefined) {
      add([...location, "name"], `missing, expected one of ${namesOf(specs)}`, "missing");
    } else if (seen.has(name)) {
      add([...location, "name"], `the input "${name}" stands twice`, "duplicate");
    } else if (!specs.some((spec) => spec.name === name)) {
      const message = `unknown input "${name}", expected ${namesOf(specs)}`;
      add([...location, "name"], message, "unknown");
    } else seen.add(name);
  }
  const tensors: Tensor[] = [];
  for (const spec of specs) {
    const entry = entries.find((candidate) => candidate.name === spec.name);
    if (entry === undefined) {
      add(["body", "inputs"], `the input "${spec.name}" is missing`, "missing");
      continue;
    }
    const tensor = matchInput(entry, spec, sink);
    if (tensor !== undefined) tensors.push(tensor);
  }
  if (sink.problems.length === 0) checkRowCounts(tensors, specs, add);
  if (sink.problems.length > 0) throw invalidTensors(sink.problems);
  return tensors;
}

function matchInput(entry: InputEntry, spec: TensorSpec, sink: Sink): Tensor | undefined {
  const { location, shape, datatype } = entry;
  const add = (member: string, message: string, type: string): undefined => {
    const path = [...location, member];
    if (sink.problems.length < PROBLEMS_MAX) sink.problems.push({ location: path, message, type });
  };
  const expectedShape = `[${spec.shape.join(", ")}]`;
  if (shape === undefined) return add("shape", `missing, expected ${expectedShape}`, "missing");
  if (datatype === undefined)
    return add("datatype", `missing, expected ${spec.datatype}`, "missing");
  if (entry.dataOffset !== undefined && entry.data === undefined) {
    sink.reader.seek(entry.dataOffset);
    readData(sink.reader, entry, sink.problems);
  }
  if (entry.data === undefined) return add("data", "missing, expected an array", "missing");
  if (datatype !== spec.datatype) {
    return add("datatype", `found ${datatype}, expected ${spec.datatype}`, "datatype");
  }
  if (!fitsShape(shape, spec.shape)) {
    const message = `found [${shape.join(", ")}], expected ${expectedShape} (-1 takes any extent)`;
    return add("shape", message, "shape");
  }
  if (spec.shape[0] === -1 && shape[0] === 0) {
    return add("shape", "found no rows, expected at least one", "shape");
  }
  const count = elementCountOf(shape);
  if (entry.data.length !== count) {
    const found = entry.data.length;
    return add("data", `found ${found} elements, shape asks for ${count ?? "too many"}`, "shape");
  }
  return { name: spec.name, datatype, shape, data: entry.data };
}

function checkRowCounts(
  tensors: readonly Tensor[],
  specs: readonly TensorSpec[],
  add: (location: Problem["location"], message: string, type: string) => void,
): void {
  const batched = tensors.filter((_tensor, i) => specs[i]?.shape[0] === -1);
  const [first, ...others] = batched;
  for (const other of others) {
    if (first === undefined || other.shape[0] === first.shape[0]) continue;
    const message = `"${other.name}" has ${other.shape[0] ?? 0} rows, "${first.name}" has ${first.shape[0] ?? 0}`;
    add(["body", "inputs"], message, "shape");
  }
}

function expectKind(
  reader: JsonReader,
  kind: ReturnType<JsonReader["peek"]>,
  location: readonly (string | number)[],
  expected: string,
): true {
  if (reader.peek() === kind) return true;
  throw invalid(location, `found ${reader.peek()}, expected ${expected}`);
}

function asObject(
  value: JsonValue,
  location: readonly (string | number)[],
): { readonly [key: string]: JsonValue } {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as { readonly [key: string]: JsonValue };
  }
  throw invalid(location, "expected an object");
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
