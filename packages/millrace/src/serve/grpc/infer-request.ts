import { MillraceError } from "../../core/errors.ts";
import { WIRE, WireReader } from "../../core/protobuf/wire-reader.ts";
import { DATATYPES, isDatatype, type Datatype } from "../../core/tensor/datatype.ts";
import { refuseSharedMemory, type InferParameters } from "../../core/tensor/infer-parameters.ts";
import type { InputEntry } from "../../core/tensor/match-inputs.ts";
import { RANK_MAX } from "../../core/tensor/read-json-array.ts";
import { elementCountOf } from "../../core/tensor/tensor.ts";
import { readContents, type Span } from "./tensor-contents.ts";

type Parameters = InferParameters | undefined;

export interface OutputRequest {
  readonly name: string;
  readonly parameters: Parameters;
}

/** A `ModelInferRequest`, read; nobody has compared its inputs with a model yet. */
export interface InferRequest {
  readonly modelName: string;
  /** Empty lets the server choose. */
  readonly modelVersion: string;
  /** Echoed in the reply; empty when the client gave none. */
  readonly id: string;
  readonly parameters: Parameters;
  /** In the client's order. */
  readonly inputs: readonly InputEntry[];
  /** Empty asks for all. */
  readonly outputs: readonly OutputRequest[];
}

/** More inputs or outputs than any model has: a message of a million empty ones is refused early. */
const TENSORS_MAX = 1_000;

/** More parameters than any client sends with one request or one tensor; counting them all again stays cheap. */
const PARAMETERS_MAX = 256;

/** One entry of `inputs` as it stands in the message; the fields of `contents` are read when all is known. */
interface InputFields {
  name: string;
  datatype: string;
  shape: number[];
  parameters: Parameters;
  readonly contents: Span[];
}

/** The request while its fields arrive. */
interface Draft {
  modelName: string;
  modelVersion: string;
  id: string;
  parameters: Parameters;
  readonly inputs: InputFields[];
  readonly outputs: OutputRequest[];
  readonly raw: Span[];
}

/**
 * Reads a `ModelInferRequest` straight from its bytes. Raw contents are not copied, so `bytes` must not change
 * afterwards.
 * @throws ProtobufError when the bytes are no such message, INVALID_BODY and INVALID_TENSOR for what is in them.
 */
export function readInferRequest(bytes: Uint8Array): InferRequest {
  const reader = new WireReader(bytes);
  const draft: Draft = {
    modelName: "",
    modelVersion: "",
    id: "",
    parameters: undefined,
    inputs: [],
    outputs: [],
    raw: [],
  };
  while (reader.offset < reader.end) readRequestField(reader, draft);
  const { modelName, modelVersion, id, parameters, outputs } = draft;
  return { modelName, modelVersion, id, parameters, outputs, inputs: toEntries(reader, draft) };
}

/** A tag of a field below 16 that holds text, bytes or a message. */
function spanTag(number: number): number {
  return number * 8 + WIRE.bytes;
}

const REQUEST = {
  modelName: spanTag(1),
  modelVersion: spanTag(2),
  id: spanTag(3),
  parameters: spanTag(4),
  inputs: spanTag(5),
  outputs: spanTag(6),
  rawInputContents: spanTag(7),
};

function readRequestField(reader: WireReader, draft: Draft): void {
  const tag = reader.tag();
  switch (tag) {
    case REQUEST.modelName:
      draft.modelName = reader.text();
      break;
    case REQUEST.modelVersion:
      draft.modelVersion = reader.text();
      break;
    case REQUEST.id:
      draft.id = reader.text();
      break;
    case REQUEST.parameters:
      draft.parameters = withParameter(reader, draft.parameters);
      break;
    case REQUEST.inputs:
      if (draft.inputs.length === TENSORS_MAX) throw tooMany("inputs");
      draft.inputs.push(readInput(reader));
      break;
    case REQUEST.outputs:
      if (draft.outputs.length === TENSORS_MAX) throw tooMany("outputs");
      draft.outputs.push(readOutput(reader));
      break;
    case REQUEST.rawInputContents: {
      if (draft.raw.length === TENSORS_MAX) throw tooMany("raw_input_contents");
      const start = reader.span();
      draft.raw.push({ start, end: reader.offset });
      break;
    }
    default:
      reader.skip(tag);
  }
}

const INPUT = {
  name: spanTag(1),
  datatype: spanTag(2),
  shape: 3 * 8 + WIRE.varint,
  packedShape: spanTag(3),
  parameters: spanTag(4),
  contents: spanTag(5),
};

function readInput(reader: WireReader): InputFields {
  const input: InputFields = {
    name: "",
    datatype: "",
    shape: [],
    parameters: undefined,
    contents: [],
  };
  const outerEnd = reader.enter();
  while (reader.offset < reader.end) {
    const tag = reader.tag();
    switch (tag) {
      case INPUT.name:
        input.name = reader.text();
        break;
      case INPUT.datatype:
        input.datatype = reader.text();
        break;
      case INPUT.packedShape: {
        const messageEnd = reader.enter();
        while (reader.offset < reader.end) addExtent(reader, input);
        reader.leave(messageEnd);
        break;
      }
      case INPUT.shape:
        addExtent(reader, input);
        break;
      case INPUT.parameters:
        input.parameters = withParameter(reader, input.parameters);
        break;
      case INPUT.contents: {
        // Twice is legal and means both together; the bound keeps a message of empty ones small.
        if (input.contents.length === TENSORS_MAX) throw tooMany("contents");
        const start = reader.span();
        input.contents.push({ start, end: reader.offset });
        break;
      }
      default:
        reader.skip(tag);
    }
  }
  reader.leave(outerEnd);
  return input;
}

function addExtent(reader: WireReader, { name, shape }: InputFields): void {
  if (shape.length === RANK_MAX) {
    throw invalidInput(
      name,
      "shape",
      `found more than ${RANK_MAX} extents, the most that is taken`,
    );
  }
  shape.push(reader.safeInteger());
}

function readOutput(reader: WireReader): OutputRequest {
  let name = "";
  let parameters: Parameters;
  const outerEnd = reader.enter();
  while (reader.offset < reader.end) {
    const tag = reader.tag();
    if (tag === spanTag(1)) name = reader.text();
    else if (tag === spanTag(2)) parameters = withParameter(reader, parameters);
    else reader.skip(tag);
  }
  reader.leave(outerEnd);
  return { name, parameters };
}

/** Adds an entry of a `map<string, InferParameter>`; a key that stands twice takes the later value. */
function withParameter(reader: WireReader, known: Parameters): InferParameters {
  const parameters = (known ?? Object.create(null)) as Record<string, InferParameters[string]>;
  let key = "";
  let value: InferParameters[string] | undefined;
  const outerEnd = reader.enter();
  while (reader.offset < reader.end) {
    const tag = reader.tag();
    if (tag === spanTag(1)) key = reader.text();
    else if (tag === spanTag(2)) value = readParameter(reader);
    else reader.skip(tag);
  }
  reader.leave(outerEnd);
  if (value === undefined) return parameters;
  parameters[key] = value;
  if (Object.keys(parameters).length > PARAMETERS_MAX) throw tooMany("parameters", PARAMETERS_MAX);
  return parameters;
}

const PARAMETER = {
  bool: 1 * 8 + WIRE.varint,
  int64: 2 * 8 + WIRE.varint,
  string: spanTag(3),
  double: 4 * 8 + WIRE.fixed64,
  uint64: 5 * 8 + WIRE.varint,
};

function readParameter(reader: WireReader): InferParameters[string] | undefined {
  let value: InferParameters[string] | undefined;
  const outerEnd = reader.enter();
  while (reader.offset < reader.end) {
    const tag = reader.tag();
    if (tag === PARAMETER.bool) value = reader.bool();
    else if (tag === PARAMETER.int64) value = exact(reader.int64());
    else if (tag === PARAMETER.string) value = reader.text();
    else if (tag === PARAMETER.double) value = reader.double();
    else if (tag === PARAMETER.uint64) value = exact(reader.uint64());
    else reader.skip(tag);
  }
  reader.leave(outerEnd);
  return value;
}

/** A number where it is exact, as the JSON reader has it. */
function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Raw contents are for all inputs or for none. */
function toEntries(reader: WireReader, { inputs, raw }: Draft): InputEntry[] {
  if (raw.length > 0 && raw.length !== inputs.length) {
    const message = `found ${raw.length} raw_input_contents, expected one for each of the ${inputs.length} inputs`;
    throw invalid(["raw_input_contents"], message);
  }
  const entries: InputEntry[] = [];
  for (let i = 0; i < inputs.length; i++) {
    entries.push(toEntry(reader, inputs[i] as InputFields, raw[i]));
  }
  return entries;
}

function toEntry(reader: WireReader, input: InputFields, raw: Span | undefined): InputEntry {
  const { name, shape, contents } = input;
  const location = ["inputs", name];
  refuseSharedMemory(input.parameters, ["inputs", name, "parameters"]);
  const datatype = datatypeOf(input);
  if (raw === undefined) {
    const elementCount = elementCountOf(shape);
    if (elementCount === undefined) {
      const message = `found [${shape.join(", ")}], expected extents of at least 0, whose product is at most 2^53 - 1`;
      throw invalidInput(name, "shape", message);
    }
    const data = readContents(reader, contents, { name, datatype, elementCount });
    return { location, name, datatype, shape, data };
  }
  if (contents.length > 0) {
    throw invalidInput(name, "contents", "must be absent when raw_input_contents is used");
  }
  return { location, name, datatype, shape, raw: reader.bytes.subarray(raw.start, raw.end) };
}

function datatypeOf({ name, datatype }: InputFields): Datatype {
  if (isDatatype(datatype)) return datatype;
  const known = Object.keys(DATATYPES).join(", ");
  const message = `found ${JSON.stringify(datatype)}, expected one of ${known}`;
  throw invalidInput(name, "datatype", message);
}

function tooMany(member: string, limit = TENSORS_MAX): MillraceError {
  return invalid([member], `found more than ${limit}`);
}

function invalidInput(name: string, member: string, message: string): MillraceError {
  return invalid(["inputs", name, member], message);
}

function invalid(location: readonly string[], message: string): MillraceError {
  return new MillraceError("INVALID_BODY", `Cannot read ${location.join(".")}: ${message}`, {
    problems: [{ location, message, type: "body" }],
  });
}
