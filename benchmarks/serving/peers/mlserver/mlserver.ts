import { JSON_TYPE, type HttpRequest, type Peer } from "../peer.ts";
import { modelVariables, peerEnv } from "../python-peer.ts";
import type { Case, Workload } from "../../workloads.ts";

const env = peerEnv("mlserver");

/** Batching is off unless asked for: with its time window it is slower at every number of connections. */
export const mlserver = mlserverWith("mlserver", "off", "main");
export const mlserverBatching = mlserverWith("mlserver-batching", "on", "extra");

function mlserverWith(name: string, batching: "on" | "off", kind: Peer["kind"]): Peer {
  const batch = { MLSERVER_MODEL_MAX_BATCH_SIZE: "64", MLSERVER_MODEL_MAX_BATCH_TIME: "0.001" };
  return {
    name,
    label: batching === "on" ? "MLServer, batching on" : "MLServer",
    kind,
    encoding: { iris: "JSON", mlp512: "JSON", mlp1024: "JSON", conv: "gRPC, raw contents" },
    env,
    packages: ["mlserver", "uvicorn", "grpcio", "onnxruntime", "numpy"],
    grpc: "for conv",
    command: (workload, ports) => ({
      words: [env.bin("mlserver"), "start", import.meta.dirname],
      env: {
        ...modelVariables(workload),
        MLSERVER_HOST: "127.0.0.1",
        MLSERVER_HTTP_PORT: String(ports.http),
        MLSERVER_GRPC_PORT: String(ports.grpc),
        MLSERVER_METRICS_PORT: String(ports.metrics),
        MLSERVER_PARALLEL_WORKERS: "0",
        MLSERVER_DEBUG: "false",
        ...(batching === "on" ? batch : {}),
      },
    }),
    request: inferRequest,
  };
}

/** The Open Inference Protocol, all values as JSON. */
function inferRequest({ inputName, shape }: Workload, { input }: Case): HttpRequest {
  const tensor = { name: inputName, shape, datatype: "FP32", data: input };
  const body = Buffer.from(JSON.stringify({ inputs: [tensor] }));
  return { path: "/v2/models/bench/infer", headers: JSON_TYPE, body };
}
