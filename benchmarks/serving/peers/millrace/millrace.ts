import { join } from "node:path";
import { rawBytes, rowsRequest, type HttpRequest, type Peer } from "../peer.ts";
import type { Case, Workload } from "../../workloads.ts";

export const MILLRACE_BIN = "packages/millrace/bin/millrace";
export const MILLRACE_CONFIG = join(import.meta.dirname, "millrace.yaml");

export const millrace: Peer = {
  name: "millrace",
  label: "Millrace",
  kind: "main",
  encoding: { iris: "JSON", mlp512: "JSON", conv: "OIP binary" },
  env: undefined,
  packages: [],
  grpc: "yes",
  command: ({ modelFile }, { http, grpc }) => ({
    words: [
      MILLRACE_BIN,
      "serve",
      MILLRACE_CONFIG,
      "--port",
      String(http),
      "--server.grpc-port",
      String(grpc),
      "--server.metrics-port",
      "0",
    ],
    env: { BENCH_MODEL: modelFile },
  }),
  request: (workload, row) =>
    workload.name === "conv" ? binaryRequest(workload, row) : rowsRequest("/predict", row),
};

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
