import { base64Request, rowsRequest, type Peer } from "../peer.ts";
import { modelVariables, peerEnv } from "../python-peer.ts";

const env = peerEnv("bentoml");

export const bentoml = bentomlWith("bentoml", "on", "main");
export const bentomlUnbatched = bentomlWith("bentoml-unbatched", "off", "extra");

function bentomlWith(name: string, batching: "on" | "off", kind: Peer["kind"]): Peer {
  return {
    name,
    label: batching === "on" ? "BentoML" : "BentoML, batching off",
    kind,
    encoding: { iris: "JSON", mlp512: "JSON", mlp1024: "JSON", conv: "base64" },
    env,
    packages: ["bentoml", "uvicorn", "onnxruntime", "numpy"],
    grpc: "no",
    command: (workload, { http }) => ({
      words: [
        env.bin("bentoml"),
        "serve",
        "service:Bench",
        "--working-dir",
        import.meta.dirname,
        "--host",
        "127.0.0.1",
        "--port",
        String(http),
      ],
      env: {
        ...modelVariables(workload),
        BENCH_BATCHING: batching,
        BENTOML_DO_NOT_TRACK: "True",
        BENTOML_HOME: "node_modules/.cache/bench/bentoml-home",
      },
    }),
    request: (workload, row) =>
      workload.name === "conv" ? base64Request("/predict", row) : rowsRequest("/predict", row),
  };
}
