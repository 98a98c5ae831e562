import { JsonReader } from "../json-reader.ts";
import type { JsonValue } from "../json.ts";
import { bodyError } from "./body-error.ts";
import { isDatatype } from "./datatype.ts";
import { RANK_MAX } from "./read-json-array.ts";
import type { TensorSpec } from "./tensor.ts";

/** What a model says of itself in the Open Inference Protocol. */
export interface ModelMetadata {
  /** `<project>_<format>`; undefined when it is not said. */
  readonly platform: string | undefined;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

type Location = readonly (string | number)[];

type Members = Readonly<Record<string, JsonValue>>;

/** More tensors than any model has. */
const TENSORS_MAX = 1_000;

const NAME_LENGTH_MAX = 1_000;

/**
 * Reads the answer to `GET /v2/models/{m}`. Unknown members are ignored.
 * @throws INVALID_JSON; INVALID_BODY when an input or output has no name, datatype or shape, or stands twice, or when
 * there is no output.
 */
export function readModelMetadata(json: Uint8Array): ModelMetadata {
  const reader = new JsonReader(json);
  const value = reader.readValue();
  reader.end();
  const { platform, inputs, outputs } = membersOf(value, ["body"]);
  const metadata = {
    platform: typeof platform === "string" && platform !== "" ? platform : undefined,
    inputs: readSpecs(inputs, ["body", "inputs"]),
    outputs: readSpecs(outputs, ["body", "outputs"]),
  };
  if (metadata.outputs.length > 0) return metadata;
  throw bodyError(["body", "outputs"], "found none, expected at least one", "missing");
}

function readSpecs(value: JsonValue | undefined, location: Location): TensorSpec[] {
  if (!Array.isArray(value)) throw bodyError(location, "expected a list of tensors");
  const entries = value as readonly JsonValue[];
  if (entries.length > TENSORS_MAX) {
    throw bodyError(location, `found ${entries.length} tensors, at most ${TENSORS_MAX} are taken`);
  }
  const names = new Set<string>();
  return entries.map((entry, i) => {
    const spec = readSpec(entry, [...location, i]);
    if (names.has(spec.name)) {
      throw bodyError([...location, i, "name"], `"${spec.name}" stands twice`, "duplicate");
    }
    names.add(spec.name);
    return spec;
  });
}

function readSpec(value: JsonValue, location: Location): TensorSpec {
  const { name, datatype, shape } = membersOf(value, location);
  if (typeof name !== "string" || name === "" || name.length > NAME_LENGTH_MAX) {
    const expected = `expected a text of 1 to ${NAME_LENGTH_MAX} characters`;
    throw bodyError([...location, "name"], expected);
  }
  if (typeof datatype !== "string" || !isDatatype(datatype)) {
    const found = typeof datatype === "string" ? `found ${JSON.stringify(datatype)}, ` : "";
    throw bodyError([...location, "datatype"], `${found}expected a datatype such as FP32`);
  }
  if (!Array.isArray(shape) || shape.length > RANK_MAX || !shape.every(isExtent)) {
    const expected = `expected at most ${RANK_MAX} whole numbers, -1 for an extent that may vary`;
    throw bodyError([...location, "shape"], expected, "shape");
  }
  return { name, datatype, shape };
}

function isExtent(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= -1;
}

function membersOf(value: JsonValue, location: Location): Members {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Members;
  throw bodyError(location, "expected an object");
}
