import { MillraceError, type Problem } from "../errors.ts";
import { JsonReader } from "../json-reader.ts";
import { bodyError, expectKind } from "./body-error.ts";
import { readRaw } from "./raw-tensor.ts";
import { invalidTensors } from "./read-rows.ts";
import { finishEntries, readEntries, type TensorEntry } from "./tensor-entries.ts";
import { elementCountOf, fitsShape, type Tensor, type TensorSpec } from "./tensor.ts";

/**
 * Reads the reply to `POST /v2/models/{m}/infer`. Members and outputs that nobody asked for are ignored.
 *
 * @param json all of the body, or with the binary tensor extension its first part.
 * @param specs outputs that must be there.
 * @param binary the rest; undefined when the reply does not use the extension. Numbers become views of it where they
 * are aligned, so it must not change afterwards.
 * @returns one tensor per spec, in that order.
 * @throws INVALID_JSON, INVALID_BODY, INVALID_TENSOR; NOT_IMPLEMENTED for shared memory.
 */
export function readInferReply(
  json: Uint8Array,
  specs: readonly TensorSpec[],
  binary?: Uint8Array,
): Tensor[] {
  const reader = new JsonReader(json);
  const problems: Problem[] = [];
  let entries: TensorEntry[] | undefined;
  expectKind(reader, "object", ["body"], 'an object with "outputs"');
  reader.enterObject();
  for (let isFirst = true; ; isFirst = false) {
    const key = reader.nextKey(isFirst);
    if (key === undefined) break;
    if (key === "outputs") entries = readEntries(reader, ["body", key], problems);
    else reader.skipValue();
  }
  reader.end();
  if (entries === undefined) throw bodyError(["body", "outputs"], "missing", "missing");
  finishEntries(reader, entries, binary, problems);
  if (problems.length > 0) throw invalidTensors(problems);
  const known = entries;
  return specs.map((spec) => matchOutput(known, spec));
}

function matchOutput(entries: readonly TensorEntry[], spec: TensorSpec): Tensor {
  const [entry, second] = entries.filter(({ name }) => name === spec.name);
  if (entry === undefined) {
    throw bodyError(["body", "outputs"], `the output "${spec.name}" is missing`, "missing");
  }
  if (second !== undefined) {
    throw bodyError(second.location, `the output "${spec.name}" stands twice`, "duplicate");
  }
  const { location, datatype, shape = [], raw } = entry;
  if (datatype !== spec.datatype) {
    const message = `found ${datatype ?? "none"}, expected ${spec.datatype}`;
    throw tensorError([...location, "datatype"], message, "datatype");
  }
  const count = elementCountOf(shape);
  if (count === undefined || !fitsShape(shape, spec.shape)) {
    const message = `found [${shape.join(", ")}], expected [${spec.shape.join(", ")}] (-1 takes any extent)`;
    throw tensorError([...location, "shape"], message, "shape");
  }
  const data =
    raw === undefined ? entry.data : readRaw(raw, datatype, count, [...location, "data"]);
  if (data?.length !== count) {
    const message = `found ${data?.length ?? "no"} elements, shape asks for ${count}`;
    throw tensorError([...location, "data"], message, "shape");
  }
  return { name: spec.name, datatype, shape, data };
}

function tensorError(
  location: readonly (string | number)[],
  message: string,
  type: string,
): MillraceError {
  return new MillraceError("INVALID_TENSOR", `Cannot read ${location.join(".")}: ${message}`, {
    problems: [{ location, message, type }],
  });
}
