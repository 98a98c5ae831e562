import { join } from "node:path";
import { base64Request, rowsRequest, type Peer } from "../peer.ts";
import { modelVariables, peerEnv } from "../python-peer.ts";

const env = peerEnv("litserve");

export const litserve: Peer = {
  name: "litserve",
  label: "LitServe",
  kind: "main",
  encoding: { iris: "JSON", mlp512: "JSON", mlp1024: "JSON", conv: "base64" },
  env,
  packages: ["litserve", "uvicorn", "onnxruntime", "numpy"],
  grpc: "no",
  command: (workload, { http }) => ({
    words: [env.bin("python"), join(import.meta.dirname, "app.py"), String(http)],
    env: modelVariables(workload),
  }),
  request: ({ name }, row) =>
    name === "conv" ? base64Request("/predict", row) : rowsRequest("/predict", row),
};
