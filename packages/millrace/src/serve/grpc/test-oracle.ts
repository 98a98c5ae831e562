import { join } from "node:path";
import { loadSync, type PackageDefinition, type ServiceDefinition } from "@grpc/proto-loader";
import type { Message } from "../../core/protobuf/message-type.ts";
import type { InferenceMethod } from "./inference-service.ts";

/** How clients made with protobufjs see messages; the options are those of Triton's JavaScript sample. */
export const LOADER_OPTIONS = {
  keepCase: true,
  longs: String,
  enums: String,
  oneofs: true,
} as const;

const PROTO = join(import.meta.dirname, "../../../../../docs/inference.proto");

/** `docs/inference.proto`, read by protobufjs: what tests compare our own reading and writing with. */
export function loadOracle(): PackageDefinition {
  return loadSync(PROTO, LOADER_OPTIONS);
}

export interface Codec {
  readonly encode: (value: object) => Buffer;
  readonly decode: (bytes: Buffer) => Message;
}

/** The codecs of protobufjs for one method of the inference service. */
export function oracleOf(
  definition: PackageDefinition,
  method: InferenceMethod,
): { readonly request: Codec; readonly response: Codec } {
  const service = definition["inference.GRPCInferenceService"] as ServiceDefinition;
  const found = service[method];
  if (found === undefined) throw new Error(`docs/inference.proto lacks ${method}`);
  return {
    request: {
      encode: (value) => found.requestSerialize(value),
      decode: (bytes) => found.requestDeserialize(bytes) as Message,
    },
    response: {
      encode: (value) => found.responseSerialize(value),
      decode: (bytes) => found.responseDeserialize(bytes) as Message,
    },
  };
}
