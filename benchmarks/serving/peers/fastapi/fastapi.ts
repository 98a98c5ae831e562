import { rawRequest, rowsRequest, type Peer } from "../peer.ts";
import { modelVariables, peerEnv } from "../python-peer.ts";

const env = peerEnv("fastapi");

export const fastapi: Peer = {
  name: "fastapi",
  label: "FastAPI",
  kind: "main",
  encoding: { iris: "JSON", mlp512: "JSON", mlp1024: "JSON", conv: "raw bytes" },
  env,
  packages: ["fastapi", "uvicorn", "httptools", "uvloop", "pydantic", "onnxruntime", "numpy"],
  grpc: "no",
  command: (workload, { http }) => ({
    words: [
      env.bin("python"),
      "-m",
      "uvicorn",
      "--app-dir",
      import.meta.dirname,
      "app:app",
      "--host",
      "127.0.0.1",
      "--port",
      String(http),
      "--workers",
      "1",
      "--http",
      "httptools",
      "--loop",
      "uvloop",
      "--no-access-log",
      "--timeout-keep-alive",
      "72",
    ],
    env: modelVariables(workload),
  }),
  request: ({ name }, row) =>
    name === "conv" ? rawRequest("/predict/raw", row) : rowsRequest("/predict", row),
};
