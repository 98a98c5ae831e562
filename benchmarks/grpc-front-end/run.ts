// How much does the gRPC protocol around a prediction cost, in our server and in @grpc/grpc-js?
//   node --conditions=@millrace/source benchmarks/grpc-front-end/run.ts     two minutes; needs h2load (nghttp2-client)
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { encodeMessage } from "../../packages/millrace/src/core/protobuf/message-type.ts";
import { ModelInferRequest } from "../../packages/millrace/src/serve/grpc/inference-messages.ts";
import { frameOf } from "../../packages/millrace/src/serve/grpc/message-frames.ts";
import { describeMachine, describeNoise, machineLine, ROOT } from "../machine.ts";

const KINDS = ["millrace", "grpc-js"] as const;
const MODEL = join(ROOT, "examples/models/iris_svc.onnx");
/** Connections × calls at a time on each. */
const LOADS = [
  [8, 8],
  [1, 32],
  [1, 1],
] as const;
const WARMUP = 20_000;
const N = 30_000;
const ROUNDS = 3;

/** A reply has a label and three floats, and says what they are. */
const REPLY_BYTES_MIN = 60;

/** The system counts CPU time in hundredths of a second. */
const TICKS_PER_SECOND = 100;

interface Row {
  readonly kind: string;
  readonly load: string;
  readonly perSecond: number;
  readonly cpuUs: number;
}

interface FrontEnd {
  readonly kind: string;
  readonly process: ChildProcess;
  readonly port: number;
}

const machine = describeMachine();
const noise = describeNoise(machine);
const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
const requestFile = join(folder, "request.bin");
writeFileSync(requestFile, requestFrame());
const frontEnds = await Promise.all(KINDS.map(startFrontEnd));
try {
  for (const frontEnd of frontEnds) measure(frontEnd, LOADS[0], WARMUP);
  const rows = LOADS.flatMap((load) => medians(load));
  const text = report(rows);
  console.log(text);
  const results = join(ROOT, "benchmarks/results");
  mkdirSync(results, { recursive: true });
  writeFileSync(join(results, "grpc-front-end.md"), text);
  writeFileSync(
    join(results, "grpc-front-end.json"),
    `${JSON.stringify({ machine, rows }, null, 2)}\n`,
  );
} finally {
  for (const frontEnd of frontEnds) frontEnd.process.kill();
  rmSync(folder, { recursive: true });
}

function requestFrame(): Buffer {
  const row = Buffer.from(Float32Array.of(5.1, 3.5, 1.4, 0.2).buffer);
  const inputs = [{ name: "float_input", datatype: "FP32", shape: [1, 4] }];
  const request = { model_name: "model", inputs, raw_input_contents: [row] };
  return frameOf(encodeMessage(ModelInferRequest, request));
}

async function startFrontEnd(kind: string): Promise<FrontEnd> {
  const entry = join(import.meta.dirname, "front-end.ts");
  const flags = [
    "--max-semi-space-size=16",
    "--no-allocation-site-pretenuring",
    "--conditions=@millrace/source",
  ];
  const child = spawn("taskset", ["-c", "0", process.execPath, ...flags, entry, kind, MODEL], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { kind, process: child, port: Number(port) };
}

/** Both in turn, so that what else the machine does hits both. */
function medians(load: readonly [number, number]): Row[] {
  const rows = Array.from({ length: ROUNDS }, () =>
    frontEnds.map((frontEnd) => measure(frontEnd, load, load[1] === 1 ? N / 5 : N)),
  ).flat();
  return KINDS.map((kind) => {
    const own = rows.filter((row) => row.kind === kind);
    const median = (pick: (row: Row) => number): number =>
      own.map(pick).toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] as number;
    const load0 = own[0]?.load ?? "";
    return {
      kind,
      load: load0,
      perSecond: median((row) => row.perSecond),
      cpuUs: median((row) => row.cpuUs),
    };
  });
}

function measure(
  { kind, process, port }: FrontEnd,
  [connections, streams]: readonly [number, number],
  n: number,
): Row {
  const before = cpuTicks(process.pid ?? 0);
  const words = `-c 1 h2load -n ${n} -t1 -c${connections} -m${streams} -d ${requestFile} -H content-type:application/grpc -H te:trailers http://127.0.0.1:${port}/inference.GRPCInferenceService/ModelInfer`;
  const output = execFileSync("taskset", words.split(" "), { encoding: "utf8" });
  const ticks = cpuTicks(process.pid ?? 0) - before;
  // A gRPC error is HTTP 200 too, and carries no data.
  const dataBytes = Number(/\((\d+)\) data/.exec(output)?.[1]);
  if (!output.includes(`${n} succeeded`) || dataBytes < n * REPLY_BYTES_MIN)
    throw new Error(output);
  const perSecond = Number(/([\d.]+) req\/s/.exec(output)?.[1]);
  const cpuUs = (ticks / TICKS_PER_SECOND / n) * 1e6;
  return { kind, load: `${connections} × ${streams}`, perSecond, cpuUs };
}

function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

function report(rows: readonly Row[]): string {
  const lines = [
    "# gRPC front end",
    "",
    "Made by `node --conditions=@millrace/source benchmarks/grpc-front-end/run.ts`: `ModelInfer` with 4 floats, the same data",
    `plane and codec behind both; server on core 0, h2load on core 1, n = ${N} after ${WARMUP} to warm up, median of ${ROUNDS} in turn.`,
    "",
    `- Machine: ${machineLine(machine)}`,
    ...(noise === undefined ? [] : [`- **Caution**: ${noise}`]),
    "",
    "| connections × calls | server | calls/s | CPU µs/call |",
    "| --- | --- | ---: | ---: |",
    ...rows.map(
      ({ load, kind, perSecond, cpuUs }) =>
        `| ${load} | ${kind} | ${Math.round(perSecond)} | ${cpuUs.toFixed(1)} |`,
    ),
    "",
  ];
  return lines.join("\n");
}
