import { JsonReader } from "../../core/json-reader.ts";
import { bodyError } from "../../core/tensor/body-error.ts";
import { refuseNotFinite } from "../../core/tensor/refuse-not-finite.ts";
import { fitsShape, type Tensor, type TensorSpec } from "../../core/tensor/tensor.ts";
import { findMembers } from "./find-members.ts";
import type { HttpReply } from "./http-call.ts";
import type { Protocol, Specs, Written } from "./protocol.ts";
import { readValues } from "./read-values.ts";
import type { RemoteAddress } from "./remote-address.ts";
import { columnsJson } from "./write-rows.ts";

/** Member that holds the whole prediction, where a reply does not name the outputs. */
const PREDICTION = "prediction";

/**
 * Any API that takes and gives rows as JSON. A single input is posted as `{"data": rows}`, several as `{"name": rows}`.
 * The reply names the outputs, or has them in `prediction`, or is the bare rows of the only one. One row may come
 * without the brackets around it, as Millrace itself replies to `/predict`.
 */
export class JsonProtocol implements Protocol {
  readonly path: string;
  readonly isBinary = false;
  readonly describe = undefined;

  constructor({ path }: RemoteAddress) {
    this.path = path === "" ? "/" : path;
  }

  write(inputs: readonly Tensor[]): Written {
    refuseNotFinite(inputs);
    const [only, second] = inputs;
    const isSingle = only !== undefined && second === undefined;
    return {
      body: columnsJson(isSingle ? [{ ...only, name: "data" }] : inputs, false),
      headers: {},
    };
  }

  read({ bytes }: HttpReply, { outputs }: Specs, rows: number | undefined): Tensor[] {
    const reader = new JsonReader(bytes);
    const [offset, location] = find(reader, outputs);
    reader.seek(offset);
    const tensors = readValues(reader, outputs, location);
    return rows === 1 ? tensors.map((tensor, i) => withRowAxis(tensor, outputs[i])) : tensors;
  }
}

/** Where the outputs stand, checking all of the reply. */
function find(
  reader: JsonReader,
  outputs: readonly TensorSpec[],
): [offset: number, location: readonly string[]] {
  const start = reader.offset;
  if (reader.peek() !== "object") {
    reader.skipValue();
    reader.end();
    return [start, ["body"]];
  }
  const offsets = findMembers(reader);
  reader.end();
  if (outputs.every(({ name }) => offsets.has(name))) return [start, ["body"]];
  const prediction = offsets.get(PREDICTION);
  if (prediction !== undefined) return [prediction, ["body", PREDICTION]];
  const names = outputs.map(({ name }) => `"${name}"`).join(", ");
  throw bodyError(["body"], `missing, expected ${names} or "${PREDICTION}"`, "missing");
}

function withRowAxis(tensor: Tensor, spec: TensorSpec | undefined): Tensor {
  if (spec === undefined || fitsShape(tensor.shape, spec.shape)) return tensor;
  if (!fitsShape(tensor.shape, spec.shape.slice(1))) return tensor;
  return { ...tensor, shape: [1, ...tensor.shape] };
}
