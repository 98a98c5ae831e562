import type { PythonEnv } from "../python-env.ts";
import type { Case, Workload, WorkloadName } from "../workloads.ts";

/** Free ports a server may listen on. */
export interface Ports {
  readonly http: number;
  readonly grpc: number;
  readonly metrics: number;
}

export interface Command {
  /** Program and arguments. */
  readonly words: readonly string[];
  /** Added to the environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** A POST over HTTP. */
export interface HttpRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A server of the comparison, written the way its own documentation teaches. */
export interface Peer {
  /** As written after `--servers`. */
  readonly name: string;
  /** As people call it, with what was chosen. */
  readonly label: string;
  /** `extra` ones show what a setting does; they take part in throughput and latency of the iris model only. */
  readonly kind: "main" | "extra";
  /** How it is sent a row of each model; `conv` in its best encoding. */
  readonly encoding: Readonly<Record<WorkloadName, string>>;
  /** Undefined when it needs nothing but this repository. */
  readonly env: PythonEnv | undefined;
  /** Packages whose versions the report names. */
  readonly packages: readonly string[];
  /** Does it answer ModelInfer of the Open Inference Protocol over gRPC? `only` means that conv goes that way. */
  readonly grpc: "no" | "yes" | "for conv";
  command(workload: Workload, ports: Ports): Command;
  /** A request with the row of one case. */
  request(workload: Workload, row: Case): HttpRequest;
}

export const JSON_TYPE = { "content-type": "application/json" } as const;
const BYTES_TYPE = { "content-type": "application/octet-stream" } as const;

/** `{"data": [row]}` */
export function rowsRequest(path: string, row: Case): HttpRequest {
  return { path, headers: JSON_TYPE, body: Buffer.from(JSON.stringify({ data: [row.input] })) };
}

/** The row's FP32 values, little-endian, and nothing else. */
export function rawRequest(path: string, row: Case): HttpRequest {
  return { path, headers: BYTES_TYPE, body: rawBytes(row) };
}

/** `{"data": "<base64 of the row's bytes>"}` */
export function base64Request(path: string, row: Case): HttpRequest {
  const body = JSON.stringify({ data: rawBytes(row).toString("base64") });
  return { path, headers: JSON_TYPE, body: Buffer.from(body) };
}

export function rawBytes({ input }: Case): Buffer {
  return Buffer.from(Float32Array.from(input).buffer); // every platform Node runs on is little-endian
}
