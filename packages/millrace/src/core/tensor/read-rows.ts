import { MillraceError, PROBLEMS_MAX, type Problem } from "../errors.ts";
import { JsonReader } from "../json-reader.ts";
import { readJsonArray, readJsonScalar } from "./read-json-array.ts";
import { fitsShape, type Tensor, type TensorSpec } from "./tensor.ts";

type Location = readonly (string | number)[];

/**
 * Reads the body of `POST /predict`: `{"data": rows}`, the bare array `rows`, `{"inputs": {"name": rows}}`, or an
 * input by its own name: `{"image_data": rows}`, where a bare value is one row.
 *
 * @param specs inputs of the model; all but `inputs` need exactly one.
 * @returns one tensor per input, in the order of `specs`.
 * @throws INVALID_JSON, INVALID_BODY for a wrong member, INVALID_TENSOR for wrong rows; with every problem found.
 */
export function readRows(body: Uint8Array, specs: readonly TensorSpec[]): Tensor[] {
  const reader = new JsonReader(body);
  const sink: Sink = { problems: [], tensors: new Map() };
  if (body.length === 0) {
    throw invalidBody(`the body is empty, expected ${expectedForm(specs)}`, []);
  }
  switch (reader.peek()) {
    case "array":
      readData(reader, specs, ["body"], sink);
      break;
    case "object":
      readMembers(reader, specs, sink);
      break;
    default:
      throw invalidBody(
        `found ${JSON.stringify(reader.excerpt(reader.offset, body.length))}, expected ${expectedForm(specs)}`,
        [],
      );
  }
  reader.end();
  const isSingle = specs.length === 1;
  return collect(specs, sink, (name) => (isSingle ? ["body", "data"] : ["body", "inputs", name]));
}

/**
 * Reads the value of one member of a body: the rows of a model with one input, or `{"name": rows}`.
 * @param location path of the value in the request.
 */
export function readRowsAt(
  value: Uint8Array,
  specs: readonly TensorSpec[],
  location: Location,
): Tensor[] {
  const reader = new JsonReader(value);
  const sink: Sink = { problems: [], tensors: new Map() };
  if (reader.peek() === "object") readInputs(reader, specs, location, sink);
  else readData(reader, specs, location, sink);
  reader.end();
  return collect(specs, sink, (name) => [...location, name]);
}

interface Sink {
  readonly problems: Problem[];
  readonly tensors: Map<string, Tensor>;
}

function readMembers(reader: JsonReader, specs: readonly TensorSpec[], sink: Sink): void {
  let found: string | undefined;
  reader.enterObject();
  for (let isFirst = true; ; isFirst = false) {
    const key = reader.nextKey(isFirst);
    if (key === undefined) break;
    const location = ["body", key];
    const isForm = key === "data" || key === "inputs";
    const spec = isForm ? undefined : specs.find((candidate) => candidate.name === key);
    if (key === "parameters" && spec === undefined) {
      reader.skipValue(); // for rules, which have looked at it by now
      continue;
    }
    if (!isForm && spec === undefined) {
      addProblem(sink, location, `unknown member, expected ${memberNames(specs)}`, "unknown");
      reader.skipValue();
      continue;
    }
    if (found !== undefined) {
      throw invalidBody(`found "${key}" after "${found}", expected one of them`, location);
    }
    found = key;
    if (spec !== undefined) readNamedInput(reader, spec, location, sink);
    else if (key === "inputs") readInputs(reader, specs, location, sink);
    else readData(reader, specs, location, sink);
  }
  if (found === undefined && sink.problems.length === 0) {
    throw invalidBody(`the object is empty, expected ${expectedForm(specs)}`, ["body"]);
  }
}

function readData(
  reader: JsonReader,
  specs: readonly TensorSpec[],
  location: Location,
  sink: Sink,
): void {
  const [spec, second] = specs;
  if (spec === undefined || second !== undefined) {
    throw invalidBody(
      `"data" serves models with one input, this one has ${specs.length}; expected ${expectedForm(specs)}`,
      location,
    );
  }
  readInput(reader, spec, location, sink);
}

/** Rows under the input's own name; one bare value is the one row where a row has no more than that. */
function readNamedInput(
  reader: JsonReader,
  spec: TensorSpec,
  location: Location,
  sink: Sink,
): void {
  const isValueARow = spec.shape[0] === -1 && spec.shape.every((extent) => Math.abs(extent) === 1);
  if (!isValueARow || reader.peek() === "array") {
    readInput(reader, spec, location, sink);
    return;
  }
  const data = readJsonScalar(reader, spec.datatype, location, sink.problems);
  sink.tensors.set(spec.name, { ...spec, shape: spec.shape.map(() => 1), data });
}

function readInputs(
  reader: JsonReader,
  specs: readonly TensorSpec[],
  location: Location,
  sink: Sink,
): void {
  if (reader.peek() !== "object") {
    throw invalidBody("found no object, expected input names and their rows", location);
  }
  reader.enterObject();
  for (let isFirst = true; ; isFirst = false) {
    const name = reader.nextKey(isFirst);
    if (name === undefined) return;
    const at = [...location, name];
    const spec = specs.find((candidate) => candidate.name === name);
    if (spec === undefined) {
      addProblem(sink, at, `unknown input, expected ${namesOf(specs)}`, "unknown");
      reader.skipValue();
    } else if (sink.tensors.has(name)) {
      throw invalidBody(`the input "${name}" stands twice`, at);
    } else readInput(reader, spec, at, sink);
  }
}

function readInput(reader: JsonReader, spec: TensorSpec, location: Location, sink: Sink): void {
  const kind = reader.peek();
  if (kind !== "array" && spec.shape.length > 0) {
    reader.skipValue();
    addProblem(sink, location, `found ${KINDS[kind]}, expected ${describeRows(spec)}`, "type");
    sink.tensors.set(spec.name, { ...spec, data: [] });
    return;
  }
  if (kind !== "array") {
    const data = readJsonScalar(reader, spec.datatype, location, sink.problems);
    sink.tensors.set(spec.name, { ...spec, data });
    return;
  }
  const { data, shape } = readJsonArray(reader, spec.datatype, location, sink.problems);
  if (!fitsShape(shape, spec.shape)) {
    const [where, message] = shapeProblem(shape, spec);
    addProblem(sink, [...location, ...where], message, "shape");
  } else if (spec.shape[0] === -1 && shape[0] === 0) {
    addProblem(sink, location, `found no rows, expected ${describeRows(spec)}`, "shape");
  }
  sink.tensors.set(spec.name, { name: spec.name, datatype: spec.datatype, shape, data });
}

const KINDS = {
  object: "an object",
  array: "an array",
  string: "a string",
  number: "a number",
  true: "true",
  false: "false",
  null: "null",
} as const;

function shapeProblem(shape: readonly number[], spec: TensorSpec): [Location, string] {
  const expected = describeRows(spec);
  if (shape[0] === 0) return [[], `found no rows, expected ${expected}`];
  if (shape.length === spec.shape.length - 1 && fitsShape(shape, spec.shape.slice(1))) {
    return [[], `found one row, expected ${expected}: put it in one more pair of brackets`];
  }
  if (shape.length !== spec.shape.length) {
    return [[], `found ${shape.length} levels of brackets, expected ${expected}`];
  }
  const axis = spec.shape.findIndex((extent, i) => extent !== -1 && extent !== shape[i]);
  const path = new Array<number>(axis).fill(0);
  return [path, `found ${shape[axis] ?? 0} values, expected ${spec.shape[axis] ?? 0}`];
}

function describeRows(spec: TensorSpec): string {
  const shape = spec.shape.map((extent) => (extent === -1 ? "any" : extent)).join(", ");
  return `nested arrays of shape [${shape}] (${spec.datatype})`;
}

/** Text is mostly sent under its own name: `image_data`, `id`. */
function isOneText([spec, second]: readonly TensorSpec[]): boolean {
  return spec?.datatype === "BYTES" && second === undefined;
}

function memberNames(specs: readonly TensorSpec[]): string {
  return isOneText(specs) ? `${namesOf(specs)}, "data" or "inputs"` : '"data" or "inputs"';
}

function expectedForm(specs: readonly TensorSpec[]): string {
  if (isOneText(specs)) return `{${namesOf(specs)}: text or a list of texts}`;
  return specs.length === 1
    ? '{"data": rows} or the bare array of rows'
    : `{"inputs": {${specs.map((spec) => `"${spec.name}": rows`).join(", ")}}}`;
}

export function namesOf(specs: readonly { readonly name: string }[]): string {
  return specs.map((spec) => `"${spec.name}"`).join(", ");
}

/** @returns the tensors in the order of `specs`. @throws when one is missing or anything was wrong. */
function collect(
  specs: readonly TensorSpec[],
  sink: Sink,
  locate: (input: string) => Location,
): Tensor[] {
  const found: Tensor[] = [];
  for (const spec of specs) {
    const tensor = sink.tensors.get(spec.name);
    if (tensor !== undefined) found.push(tensor);
    else {
      addProblem(sink, locate(spec.name), `missing, expected ${describeRows(spec)}`, "missing");
    }
  }
  // Tensors that are wrong in themselves have no row count to speak of.
  if (sink.problems.length === 0) checkRowCounts(found, specs, sink, locate);
  if (sink.problems.length > 0) throw invalidTensors(sink.problems);
  return found;
}

function checkRowCounts(
  tensors: readonly Tensor[],
  specs: readonly TensorSpec[],
  sink: Sink,
  locate: (input: string) => Location,
): void {
  const [first, ...others] = tensors.filter((_tensor, i) => specs[i]?.shape[0] === -1);
  for (const other of others) {
    const [count = 0] = other.shape;
    const expected = first?.shape[0] ?? 0;
    if (count === expected) continue;
    const message = `found ${count} rows, expected ${expected} as in "${first?.name ?? ""}"`;
    addProblem(sink, locate(other.name), message, "shape");
  }
}

function addProblem(sink: Sink, location: Location, message: string, type: string): void {
  if (sink.problems.length < PROBLEMS_MAX) sink.problems.push({ location, message, type });
}

/** One error for all `problems`; its message is the first one. */
export function invalidTensors(problems: readonly Problem[]): MillraceError {
  const [first] = problems;
  const where = first === undefined ? "the body" : first.location.join(".");
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  const isAboutMembers = first?.type === "unknown" || first?.type === "missing";
  return new MillraceError(
    isAboutMembers ? "INVALID_BODY" : "INVALID_TENSOR",
    `Cannot read ${where}: ${first?.message ?? "it is invalid"}${more}`,
    { problems },
  );
}

function invalidBody(message: string, location: Location): MillraceError {
  const where = location.length === 0 ? ["body"] : location;
  return new MillraceError("INVALID_BODY", `Cannot read ${where.join(".")}: ${message}`, {
    problems: [{ location: where, message, type: "body" }],
  });
}
