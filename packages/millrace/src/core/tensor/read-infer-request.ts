import type { Problem } from "../errors.ts";
import type { JsonValue } from "../json.ts";
import { JsonReader } from "../json-reader.ts";
import { bodyError, expectKind } from "./body-error.ts";
import { parametersOf, type InferParameters } from "./infer-parameters.ts";
import { matchInputs } from "./match-inputs.ts";
import { namesOf } from "./read-rows.ts";
import { finishEntries, readEntries, type TensorEntry } from "./tensor-entries.ts";
import type { Tensor, TensorSpec } from "./tensor.ts";

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

const OUTPUTS_MAX = 1_000;

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
  let entries: TensorEntry[] | undefined;
  let outputs: OutputRequest[] | undefined;
  let parameters: InferParameters | undefined;
  expectKind(reader, "object", ["body"], 'an object with "inputs"');
  reader.enterObject();
  for (let isFirst = true; ; isFirst = false) {
    const key = reader.nextKey(isFirst);
    if (key === undefined) break;
    if (key === "id" && reader.peek() === "string") id = reader.readString();
    else if (key === "inputs") entries = readEntries(reader, ["body", key], problems);
    else if (key === "outputs") outputs = readOutputs(reader);
    else if (key === "parameters") parameters = parametersOf(reader.readValue(), ["body", key]);
    else reader.skipValue();
  }
  reader.end();
  if (entries === undefined) {
    throw bodyError(["body", "inputs"], `missing, expected a list with ${namesOf(specs)}`);
  }
  finishEntries(reader, entries, binary, problems);
  return { id, inputs: matchInputs(entries, specs, problems), outputs, parameters };
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
      throw bodyError(["body", "outputs"], `found more than ${OUTPUTS_MAX} outputs`);
    }
    expectKind(reader, "object", location, "an object with the name of an output");
    const { name, parameters } = reader.readValue() as { readonly [key: string]: JsonValue };
    if (typeof name !== "string") {
      throw bodyError([...location, "name"], "expected the name of an output");
    }
    outputs.push({ name, parameters: parametersOf(parameters, [...location, "parameters"]) });
  }
  return outputs;
}
