import { join } from "node:path";
import { CACHE } from "../../python-env.ts";
import { rawBytes, rowsRequest, type HttpRequest, type Peer } from "../peer.ts";
import type { Case, Workload } from "../../workloads.ts";

const MILLRACE_BIN = "packages/millrace/bin/millrace";
const MILLRACE_CONFIG = join(import.meta.dirname, "millrace.yaml");

export const millrace: Peer = {
  name: "millrace",
  label: "Millrace",
  kind: "main",
  encoding: { iris: "JSON", mlp512: "JSON", mlp1024: "JSON", conv: "OIP binary" },
  env: undefined,
  packages: [],
  grpc: "yes",
  command: ({ name, modelFile }, { http, grpc }) => ({
    words: [MILLRACE_BIN, "serve", MILLRACE_CONFIG, ...flags(http, grpc)],
    env: { BENCH_MODEL: modelFile, BENCH_OBJECTIVE: OBJECTIVES[name] },
  }),
  request: (workload, row) =>
    workload.name === "conv" ? binaryRequest(workload, row) : rowsRequest("/predict", row),
};

/** Eight images take half of 100 ms on one thread, and twice that on a slow machine: nobody is to be refused. */
const OBJECTIVES = { iris: "100ms", mlp512: "100ms", mlp1024: "100ms", conv: "1s" } as const;

function flags(http: number, grpc: number): string[] {
  const ports = ["--port", String(http), "--server.grpc-port", String(grpc)];
  const state = ["--state.dir", join(CACHE, "millrace-state")];
  return [...ports, "--server.metrics-port", "0", ...state];
}

/** The Open Inference Protocol with its extension for binary tensors: a JSON head, then the bytes. */
function binaryRequest({ inputName, shape }: Workload, row: Case): HttpRequest {
  const bytes = rawBytes(row);
  const parameters = { binary_data_size: bytes.length };
  const inputs = [{ name: inputName, shape, datatype: "FP32", parameters }];
  const head = Buffer.from(JSON.stringify({ inputs }));
  return {
    path: "/v2/models/bench/infer",
    headers: {
      "content-type": "application/octet-stream",
      "inference-header-content-length": String(head.length),
    },
    body: Buffer.concat([head, bytes]),
  };
}
