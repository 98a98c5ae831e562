import type { ModelConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import type { JsonValue } from "../core/json.ts";
import { MillraceError } from "../core/errors.ts";
import { allocate } from "../core/tensor/datatype.ts";
import { packRows } from "../core/tensor/pack-rows.ts";
import { elementCountOf, type Tensor, type TensorSpec } from "../core/tensor/tensor.ts";
import type { LoadedModel } from "../ports/runtime.ts";
import { ModelVersion } from "./model-version.ts";

export interface PrepareOptions {
  readonly version: number;
  readonly path: string;
  readonly platform: string;
  readonly fallbackReason: string | undefined;
  readonly clock: Clock;
}

/**
 * Turns a loaded model into a version that may take traffic: picks the prediction output, checks the labels
 * against it, and runs the sample once, so that the first request is not the slow one.
 *
 * @throws MODEL_LOAD_FAILED when the file's settings do not fit the model, or the sample does not run.
 */
export async function prepareVersion(
  config: ModelConfig,
  model: LoadedModel,
  options: PrepareOptions,
): Promise<ModelVersion> {
  const fail = (reason: string, cause?: unknown): MillraceError =>
    new MillraceError("MODEL_LOAD_FAILED", `Cannot load "${options.path}": ${reason}`, { cause });
  const predictionOutput = choosePredictionOutput(config, model, fail);
  const labels = config.labels ?? model.description.labels;
  checkLabels(config, predictionOutput, fail);
  checkInputNames(config, model, fail);
  const sample = readSample(config, model, fail);
  const warmUp = sample ?? zeros(model.description.inputs);
  const outputNames = model.description.outputs.map((output) => output.name);
  let samplePrediction: Tensor | undefined;
  try {
    const outputs = await model.run(warmUp, outputNames);
    if (sample !== undefined) {
      samplePrediction = outputs[outputNames.indexOf(predictionOutput.name)];
    }
  } catch (error) {
    // Zeros are only a guess at an input; a sample is the user's word.
    if (sample !== undefined) throw fail(`the sample does not run: ${messageOf(error)}`, error);
  }
  return new ModelVersion({
    ...options,
    modelName: config.name,
    model,
    predictionOutput,
    labels,
    sample,
    samplePrediction,
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
function zeros(specs: readonly TensorSpec[]): Tensor[] {
  return specs.map((spec) => {
    const shape = spec.shape.map((extent) => (extent === -1 ? 1 : extent));
    return { ...spec, shape, data: allocate(spec.datatype, elementCountOf(shape) ?? 0) };
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
