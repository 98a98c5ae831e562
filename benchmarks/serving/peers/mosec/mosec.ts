import { join } from "node:path";
import { rawRequest, rowsRequest, type Peer } from "../peer.ts";
import { modelVariables, peerEnv } from "../python-peer.ts";

const env = peerEnv("mosec");

export const mosec: Peer = {
  name: "mosec",
  label: "Mosec",
  kind: "main",
  encoding: { iris: "JSON", mlp512: "JSON", mlp1024: "JSON", conv: "raw bytes" },
  env,
  packages: ["mosec", "onnxruntime", "numpy"],
  grpc: "no",
  command: (workload, { http }) => ({
    words: [
      env.bin("python"),
      join(import.meta.dirname, "app.py"),
      "--address",
      "127.0.0.1",
      "--port",
      String(http),
      "--log-level",
      "warning",
    ],
    env: modelVariables(workload),
  }),
  request: ({ name }, row) =>
    name === "conv" ? rawRequest("/inference", row) : rowsRequest("/inference", row),
};
