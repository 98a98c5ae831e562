import type { ModelConfig } from "../config/config.ts";
import type { JsonValue } from "../core/json.ts";
import { MillraceError } from "../core/errors.ts";
import { messageOf } from "../core/message-of.ts";
import { Breaker } from "../core/overload/breaker.ts";
import { allocate } from "../core/tensor/datatype.ts";
import { packRows } from "../core/tensor/pack-rows.ts";
import { elementCountOf, type Tensor, type TensorSpec } from "../core/tensor/tensor.ts";
import type { LoadedModel, ModelFile } from "../ports/runtime.ts";
import { measureRuns } from "./measure-runs.ts";
import { ModelVersion } from "./model-version.ts";
import type { ModelsOptions } from "./models-options.ts";
import { instanceCountOf, placeModel, runtimeAt } from "./place-model.ts";
import { proveBatching, type Batching } from "./prove-batching.ts";
import { ScheduledModel } from "./scheduled-model.ts";
import { withTimeLimit } from "./with-time-limit.ts";
import { countRun, emptyStatistics, type Statistics } from "./statistics.ts";

/** Longest time a batch should run on the serving loop, where everything else waits meanwhile. */
const INLINE_BATCH_MS_MAX = 5;

/** Longest time the sample, the proof or the measurement of a model may take before it counts as hanging. */
const TRIAL_MS_MAX = 600_000;

/** Rows that may wait for one model: this many, or this many batches. */
const QUEUED_ROWS_MAX = 10_000;
const QUEUED_BATCHES_MAX = 64;

export interface PrepareOptions {
  readonly version: number;
  readonly file: ModelFile;
  readonly fallbackReason: string | undefined;
  readonly models: ModelsOptions;
}

/**
 * Turns a loaded model into a version that may take traffic: picks the prediction output, checks the labels
 * against it, runs the sample, puts the model where its run time says it belongs, and finds out which requests may
 * share a run and what that gains.
 *
 * @param first its first copy, which is this function's to close.
 * @throws MODEL_LOAD_FAILED when the file's settings do not fit the model, or the sample does not run.
 */
export async function prepareVersion(
  config: ModelConfig,
  first: LoadedModel,
  options: PrepareOptions,
): Promise<ModelVersion> {
  const { file, version, fallbackReason, models } = options;
  let model = first;
  try {
    const settings = readSettings(config, model, file.path);
    const { sample, warmUp } = settings;
    const trial = <T>(work: Promise<T>): Promise<T> =>
      withTimeLimit(work, { clock: models.clock, ms: TRIAL_MS_MAX, error: () => hangs(settings) });
    const samplePrediction = await trial(runSample(model, settings));
    const canRun = samplePrediction !== "failed";
    if (canRun && config.placement === "auto") {
      model = await placeModel(model, warmUp, file, models.runtimes[config.runtime]);
    }
    const batching = await trial(batchingOf(config, model, canRun ? warmUp : undefined));
    const rowsMax = batching.isBatched ? config.batch.rowsMax : 1;
    const timings = canRun ? await trial(measureRuns(model, warmUp, rowsMax)) : [];
    const statistics = emptyStatistics();
    const { description, placement } = model;
    const executors = [model, ...(await moreCopies(config, model, file, models))];
    const scheduled = schedule(config, { version, executors, batching, file, models, statistics });
    const names = description.outputs.map((output) => output.name);
    for (const { rows, runMs } of timings) scheduled.learn(rows, runMs, names);
    return new ModelVersion({
      modelName: config.name,
      version,
      description,
      scheduled,
      placement,
      batching,
      statistics,
      requestRowsMax: batching.isBatched && config.batch.oversize === "reject" ? rowsMax : Infinity,
      platform: description.platform ?? models.runtimes[config.runtime].worker.platform,
      path: file.path,
      predictionOutput: settings.predictionOutput,
      labels: settings.labels,
      inputConfigs: config.inputs,
      score: settings.score,
      sample,
      samplePrediction: canRun ? samplePrediction : undefined,
      fallbackReason,
      breaker: new Breaker({
        clock: models.clock,
        random: models.random,
        onTransition: (from, to) =>
          models.events.breakerMoved(`${config.name}@${version}`, from, to),
      }),
      clock: models.clock,
    });
  } catch (error) {
    void model.close().catch(() => undefined); // the end of a run that hangs would never come
    throw error;
  }
}

function hangs({ fail }: Settings): MillraceError {
  return fail(`a trial run has not ended after ${TRIAL_MS_MAX / 60_000} min`);
}

interface Settings {
  readonly predictionOutput: TensorSpec;
  readonly labels: readonly string[] | undefined;
  readonly score: number;
  readonly sample: readonly Tensor[] | undefined;
  /** The sample, or zeros where there is none. */
  readonly warmUp: readonly Tensor[];
  readonly fail: Fail;
}

function readSettings(config: ModelConfig, model: LoadedModel, path: string): Settings {
  const fail = (reason: string, cause?: unknown): MillraceError =>
    new MillraceError("MODEL_LOAD_FAILED", `Cannot load "${path}": ${reason}`, { cause });
  const predictionOutput = choosePredictionOutput(config, model, fail);
  const labels = config.labels ?? model.description.labels;
  checkLabels(config, predictionOutput, fail);
  const score = indexOfScore(config, predictionOutput, labels, fail);
  checkInputNames(config, model, fail);
  const sample = readSample(config, model, fail);
  const warmUp = sample ?? model.description.inputs.map((input) => zeros(input));
  return { predictionOutput, labels, score, sample, warmUp, fail };
}

/** @returns the prediction of the sample; undefined without one; `failed` when a model does not run on zeros. */
async function runSample(
  model: LoadedModel,
  { sample, warmUp, predictionOutput, fail }: Settings,
): Promise<Tensor | undefined | "failed"> {
  const outputNames = model.description.outputs.map((output) => output.name);
  try {
    const { outputs } = await model.run(warmUp, outputNames);
    if (sample === undefined) return undefined;
    return outputs[outputNames.indexOf(predictionOutput.name)];
  } catch (error) {
    // Zeros are only a guess at an input; a sample is the user's word.
    if (sample !== undefined) throw fail(`the sample does not run: ${messageOf(error)}`, error);
    return "failed";
  }
}

async function batchingOf(
  { batch }: ModelConfig,
  model: LoadedModel,
  warmUp: readonly Tensor[] | undefined,
): Promise<Batching> {
  if (batch.rowsMax === 1) return { isBatched: false, reason: "batching is off" };
  if (warmUp !== undefined && warmUp[0]?.shape[0] !== 0) return proveBatching(model, warmUp);
  const reason = "it does not run on zeros, so nothing is known of two rows; a sample would tell";
  return { isBatched: false, reason };
}

async function moreCopies(
  config: ModelConfig,
  { placement }: LoadedModel,
  file: ModelFile,
  { runtimes, coreCount }: ModelsOptions,
): Promise<LoadedModel[]> {
  const count = instanceCountOf(config, placement, coreCount) - 1;
  const runtime = runtimeAt(runtimes[config.runtime], placement);
  const loads = await Promise.allSettled(Array.from({ length: count }, () => runtime.load(file)));
  const copies = loads.flatMap((load) => (load.status === "fulfilled" ? [load.value] : []));
  const failed = loads.find((load) => load.status === "rejected");
  if (failed === undefined) return copies;
  await Promise.all(copies.map((copy) => copy.close()));
  throw failed.reason;
}

interface ScheduleParts {
  readonly version: number;
  readonly executors: readonly LoadedModel[];
  readonly batching: Batching;
  readonly file: ModelFile;
  readonly models: ModelsOptions;
  readonly statistics: Statistics;
}

function schedule(config: ModelConfig, parts: ScheduleParts): ScheduledModel {
  const { version, executors, batching, file, models, statistics } = parts;
  const { name, batch, slo } = config;
  const { description, placement } = executors[0] as LoadedModel;
  const { events } = models;
  // A copy that is started later must be the same model, whatever the file holds by then.
  const same = { ...file, sha256: description.sha256 };
  const runtime = runtimeAt(models.runtimes[config.runtime], placement);
  return new ScheduledModel({
    name,
    inputs: description.inputs,
    executors,
    startExecutor: () => runtime.load(same),
    isBatched: batching.isBatched,
    clock: models.clock,
    batch: {
      rowsMax: batching.isBatched ? batch.rowsMax : 1,
      delayMs: batch.delayMs,
      objectiveMs: slo?.latencyP99Ms,
      runMsMax: placement === "inline" ? INLINE_BATCH_MS_MAX : Infinity,
      queuedRowsMax: Math.max(QUEUED_ROWS_MAX, QUEUED_BATCHES_MAX * batch.rowsMax),
      queuedBytesMax: models.budget.bytesMax,
      budget: models.budget,
    },
    events: {
      batchEnded: (rows, computeMs) => {
        countRun(statistics, rows, computeMs);
        events.batchEnded(name, version, rows);
      },
      executorLost: (reason, backInMs) => events.executorLost(name, reason, backInMs),
      executorBack: () => events.executorBack(name),
      executorNotBack: (reason, backInMs) => events.executorNotBack(name, reason, backInMs),
    },
  });
}

type Fail = (reason: string, cause?: unknown) => MillraceError;

function choosePredictionOutput(config: ModelConfig, model: LoadedModel, fail: Fail): TensorSpec {
  const { outputs, outputAliases, probabilitiesOutput } = model.description;
  const wanted = config.output ?? probabilitiesOutput ?? outputs[0]?.name ?? "";
  const name = Object.hasOwn(outputAliases, wanted) ? outputAliases[wanted] : wanted;
  const found = outputs.find((output) => output.name === name);
  if (found !== undefined) return found;
  const names = outputs.map((output) => `"${output.name}"`).join(", ");
  throw fail(`output: "${wanted}" is not an output of the model, it has ${names}`);
}

function checkLabels(config: ModelConfig, output: TensorSpec, fail: Fail): void {
  const classCount = output.shape.at(-1);
  if (config.labels === undefined || classCount === undefined || classCount <= 1) return;
  if (output.shape.length < 2 || classCount === config.labels.length) return;
  throw fail(
    `labels has ${config.labels.length} entries, output "${output.name}" has ${classCount} classes`,
  );
}

/** Index of the element that `score` names. */
function indexOfScore(
  { score }: ModelConfig,
  { name, shape }: TensorSpec,
  labels: readonly string[] | undefined,
  fail: Fail,
): number {
  if (typeof score === "string") {
    const index = labels?.indexOf(score) ?? -1;
    if (index !== -1) return index;
    const known = labels === undefined ? "the model has none" : `there are ${labels.join(", ")}`;
    throw fail(`score: "${score}" is not a label, ${known}`);
  }
  const width = shape.length < 2 ? 1 : shape.slice(1).reduce((a, b) => a * b, 1);
  if (score < width || shape.slice(1).includes(-1)) return score;
  throw fail(`score: output "${name}" has ${width} elements a row, found index ${score}`);
}

function checkInputNames(config: ModelConfig, model: LoadedModel, fail: Fail): void {
  for (const [name, input] of Object.entries(config.inputs)) {
    const spec = model.description.inputs.find((candidate) => candidate.name === name);
    if (spec === undefined) {
      const names = model.description.inputs.map((candidate) => `"${candidate.name}"`).join(", ");
      throw fail(`inputs: "${name}" is not an input of the model, it has ${names}`);
    }
    const width = spec.shape.at(-1);
    if (input.names === undefined || width === undefined || width === -1) continue;
    if (spec.shape.length < 2 || input.names.length === width) continue;
    throw fail(`inputs: "${name}" takes ${width} values a row, names has ${input.names.length}`);
  }
}

function readSample(config: ModelConfig, model: LoadedModel, fail: Fail): Tensor[] | undefined {
  if (config.sample === undefined) return undefined;
  const { sample } = config;
  const isWrapped =
    typeof sample === "object" && sample !== null && !Array.isArray(sample) && "inputs" in sample;
  try {
    const rows = isWrapped ? (sample["inputs"] as JsonValue) : sample;
    return packRows(rows, model.description.inputs, ["sample"]);
  } catch (error) {
    throw fail(`the sample does not fit the model: ${messageOf(error)}`, error);
  }
}

/** One row of zeros, with 1 for every extent that may vary. */
export function zeros(spec: TensorSpec): Tensor {
  const shape = spec.shape.map((extent) => (extent === -1 ? 1 : extent));
  return { ...spec, shape, data: allocate(spec.datatype, elementCountOf(shape) ?? 0) };
}
