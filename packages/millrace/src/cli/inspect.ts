import { resolve } from "node:path";
import { MillraceError } from "../core/errors.ts";
import { allocate } from "../core/tensor/datatype.ts";
import { elementCountOf, type Tensor, type TensorSpec } from "../core/tensor/tensor.ts";
import { createRuntime } from "../main.ts";
import type { LoadedModel, ModelDescription } from "../ports/runtime.ts";
import { proveBatching, type Batching } from "../models/prove-batching.ts";
import { UsageError, type Command } from "./command.ts";

/** Rows per run at which the model is timed. */
const BATCHES = [1, 8, 64];

/** Time spent on each of them, at most, and runs. */
const TIMING_MS = 300;
const RUNS_MAX = 200;

interface Timing {
  readonly rows: number;
  readonly runMs: number;
  readonly rowMs: number;
}

export const inspect: Command = {
  summary: "show what a model file takes, gives and costs",
  usage: "inspect model.onnx [--threads N] [--json]",
  options: { json: "prints the facts as JSON", "threads=N": "threads of a run; default 1" },
  examples: ["inspect model.onnx", "inspect model.onnx --json"],
  async run({ positionals, options, configFlags }, io) {
    const [file, extra] = positionals;
    if (configFlags[0] !== undefined) throw new UsageError(`unknown option ${configFlags[0]}`);
    if (file === undefined || extra !== undefined) throw new UsageError("expected one model file");
    const threads = Number(options.get("threads") ?? 1);
    if (!Number.isInteger(threads) || threads < 1 || threads > 256) {
      throw new UsageError("--threads: expected a whole number from 1 to 256");
    }
    let model: LoadedModel;
    try {
      model = await createRuntime().load({
        path: resolve(io.cwd, file),
        sha256: undefined,
        threads,
      });
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      io.stderr.write(`${error.message}\n`);
      return 1;
    }
    const timings = await timeModel(model);
    const batching = await batchingOf(model);
    const { description } = model;
    await model.close();
    io.stdout.write(
      options.has("json")
        ? `${JSON.stringify({ file, ...description, batching, timings })}\n`
        : describe(file, description, { batching, timings }),
    );
    return 0;
  },
};

/** Would requests share runs? Zeros are the only rows known here, and a sample may tell more. */
async function batchingOf(model: LoadedModel): Promise<Batching> {
  return proveBatching(
    model,
    model.description.inputs.map((input) => zeros(input, 1)),
  );
}

/** Median time of a run with zeros; no timing for a model that zeros do not fit. */
async function timeModel(model: LoadedModel): Promise<Timing[]> {
  const { inputs, outputs } = model.description;
  const outputNames = outputs.map((output) => output.name);
  const isBatched = inputs.length > 0 && inputs.every((input) => input.shape[0] === -1);
  const timings: Timing[] = [];
  for (const rows of isBatched ? BATCHES : [1]) {
    const tensors = inputs.map((input) => zeros(input, rows));
    try {
      const runMs = await medianMs(() => model.run(tensors, outputNames));
      timings.push({ rows, runMs, rowMs: runMs / rows });
    } catch {
      break;
    }
  }
  return timings;
}

async function medianMs(run: () => Promise<unknown>): Promise<number> {
  await run();
  const times: number[] = [];
  const endMs = performance.now() + TIMING_MS;
  while (times.length < RUNS_MAX && (times.length < 3 || performance.now() < endMs)) {
    const startMs = performance.now();
    await run();
    times.push(performance.now() - startMs);
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)] as number;
}

function zeros(spec: TensorSpec, rows: number): Tensor {
  const shape = spec.shape.map((extent, axis) =>
    extent === -1 ? (axis === 0 ? rows : 1) : extent,
  );
  return { ...spec, shape, data: allocate(spec.datatype, elementCountOf(shape) ?? 0) };
}

interface Findings {
  readonly batching: Batching;
  readonly timings: readonly Timing[];
}

function describe(file: string, model: ModelDescription, { batching, timings }: Findings): string {
  const tensor = (spec: TensorSpec): string => {
    const shape = spec.shape.map((extent) => (extent === -1 ? "any" : extent)).join(", ");
    return `${spec.name}  ${spec.datatype} [${shape}]`;
  };
  const rows: [string, string][] = [
    ["file", `${file}  ${model.sizeBytes} bytes`],
    ["sha256", model.sha256],
    ...Object.entries(model.details),
    ...model.inputs.map((input): [string, string] => ["input", tensor(input)]),
    ...model.outputs.map((output): [string, string] => {
      const isPrediction = output.name === model.probabilitiesOutput;
      return ["output", `${tensor(output)}${isPrediction ? "  (the prediction)" : ""}`];
    }),
    ...(model.labels === undefined
      ? []
      : [["labels", model.labels.join(", ")] as [string, string]]),
    ...model.changes.map((change): [string, string] => ["change", change]),
    ...(model.changes.length === 0 ? [] : [["loaded", model.loadedSha256] as [string, string]]),
    ["batching", batchingText(batching)],
    ...timings.map(({ rows: count, runMs, rowMs }): [string, string] => [
      "time",
      `${count} row${count === 1 ? "" : "s"}: ${milliseconds(runMs)} a run, ${milliseconds(rowMs)} a row`,
    ]),
  ];
  if (timings.length === 0) rows.push(["time", "not measured: the model does not run on zeros"]);
  return rows.map(([key, value]) => `${key.padEnd(12)}${value}\n`).join("");
}

function batchingText({ isBatched, reason }: Batching): string {
  return isBatched ? "requests may share a run" : `one request a run: ${reason ?? "unknown"}`;
}

function milliseconds(ms: number): string {
  return ms < 1 ? `${(ms * 1000).toFixed(1)} µs` : `${ms.toFixed(2)} ms`;
}
