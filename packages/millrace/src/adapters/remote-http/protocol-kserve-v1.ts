import { JsonReader } from "../../core/json-reader.ts";
import { bodyError, expectKind } from "../../core/tensor/body-error.ts";
import { refuseNotFinite } from "../../core/tensor/refuse-not-finite.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { findMembers } from "./find-members.ts";
import type { HttpReply } from "./http-call.ts";
import type { Protocol, Specs, Written } from "./protocol.ts";
import { readValues } from "./read-values.ts";
import type { ModelPaths } from "./remote-address.ts";
import { instancesJson } from "./write-rows.ts";

/**
 * KServe's V1 protocol: `POST /v1/models/{m}:predict` with `{"instances": rows}`, answered by `{"predictions": rows}`.
 * It has no way to ask a server what a model takes.
 */
export class KserveV1Protocol implements Protocol {
  readonly path: string;
  readonly isBinary = false;
  readonly describe = undefined;

  constructor({ model }: ModelPaths) {
    this.path = `${model}:predict`;
  }

  write(inputs: readonly Tensor[]): Written {
    refuseNotFinite(inputs);
    return { body: `{"instances":${instancesJson(inputs, false)}}`, headers: {} };
  }

  read(reply: HttpReply, { outputs }: Specs): Tensor[] {
    return readPredictions(reply.bytes, outputs, ["predictions"]);
  }
}

/** Reads the one of `members` that stands in the reply. */
export function readPredictions(
  bytes: Uint8Array,
  outputs: Specs["outputs"],
  members: readonly string[],
): Tensor[] {
  const reader = new JsonReader(bytes);
  const expected = members.map((member) => `"${member}"`).join(" or ");
  expectKind(reader, "object", ["body"], `an object with ${expected}`);
  const offsets = findMembers(reader);
  reader.end();
  const member = members.find((candidate) => offsets.has(candidate));
  if (member === undefined) throw bodyError(["body"], `missing, expected ${expected}`, "missing");
  reader.seek(offsets.get(member) ?? 0);
  return readValues(reader, outputs, ["body", member]);
}
