import { join } from "node:path";
import { post } from "../serving/http-post.ts";
import type { HttpRequest } from "../serving/peers/peer.ts";
import type { ScratchFolder } from "../serving/scratch-folder.ts";
import { freePorts, ServerProcess } from "../serving/server-process.ts";

/** Millrace on the server's core, and where it listens. */
export interface BenchServer {
  readonly httpPort: number;
  readonly metricsUrl: string;
  /** Of the control role, which `up` has. */
  readonly controlPort: number;
  /** Root of the tree of its processes. */
  readonly pid: number;
  stop(): Promise<void>;
}

/** @param file beside this one. @param first is asked until it is answered. */
export async function startBenchServer(
  command: "serve" | "up",
  file: string,
  first: HttpRequest,
  scratch: ScratchFolder,
): Promise<BenchServer> {
  const ports = await freePorts();
  const { http, metrics, grpc: control } = ports; // what would be the port of gRPC, which is off
  const flags = {
    "--port": String(http),
    "--server.grpc-port": "off",
    "--server.metrics-port": String(metrics),
    "--server.control-port": command === "up" ? String(control) : "off",
    "--state.dir": join(scratch.path, "state"),
  };
  const words = ["packages/millrace/bin/millrace", command, join(import.meta.dirname, file)];
  const server = await ServerProcess.startCommand(
    { words: [...words, ...Object.entries(flags).flat()], env: {} },
    ports,
    async () => (await post(http, first)).status === 200,
  );
  return {
    httpPort: http,
    metricsUrl: `http://127.0.0.1:${metrics}/metrics`,
    controlPort: control,
    pid: server.pid,
    stop: () => server.stop(),
  };
}

/** `POST /services/<name>/predict` with rows as JSON. */
export function predictRequest(service: string, rows: unknown): HttpRequest {
  return {
    path: `/services/${service}/predict`,
    headers: { "content-type": "application/json" },
    body: Buffer.from(JSON.stringify({ data: rows })),
  };
}
