import { tmpdir } from "node:os";
import { join } from "node:path";
import { onCore } from "./run-process.ts";
import type { ServerCommand } from "./server-process.ts";

const MODEL = "examples/models/iris_svc.onnx";
const BIN = "packages/millrace/bin/millrace";
const FREE_PORTS = ["--json", "--port", "0", "--server.metrics-port", "0"];

/** @param core undefined leaves it to the system, as a user would. */
export function millraceServe(core?: number): ServerCommand {
  return { command: onCore(core, [BIN, "serve", MODEL, ...FREE_PORTS]), portIn };
}

/** `millrace up` with two serve processes. */
export function millraceUp(): ServerCommand {
  const state = join(tmpdir(), `millrace-bench-${process.pid}`);
  const flags = ["--server.processes", "2", "--state.dir", state];
  return { command: [BIN, "up", "examples/web-single", ...FREE_PORTS, ...flags], portIn };
}

/** The line that `--json` prints once the models are loaded. */
function portIn(output: string): number | undefined {
  const [, port] = /^\{.*?"http":"http:\/\/[^"]+:(\d+)"/m.exec(output) ?? [];
  return port === undefined ? undefined : Number(port);
}
