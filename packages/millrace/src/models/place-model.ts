import { stat } from "node:fs/promises";
import type { ModelConfig } from "../config/config.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import type { LoadedModel, ModelFile, Placement, Runtime } from "../ports/runtime.ts";

/** What runs models, by the file's word for it. */
export type Runtimes = Readonly<Record<ModelConfig["runtime"], RuntimePlaces>>;

/** One way to run models: on the thread that asks, where it can, and beside it. */
export interface RuntimePlaces {
  readonly inline: Runtime | undefined;
  readonly worker: Runtime;
}

/** Runs shorter than this hold the serving loop less than the hop to a thread is worth. */
const INLINE_RUN_MS_MAX = 1;

/** A model that takes longer to load stays in its thread, so that loading does not hold the serving loop. */
const INLINE_LOAD_MS_MAX = 50;

/** Files up to this size load in a moment, and are tried on the serving loop first: a thread costs 40 ms and memory. */
const TRIAL_BYTES_MAX = 1024 * 1024;

const TRIAL_RUNS = 3;

/** Loads the first copy of a model where it will probably stay. */
export async function loadFirst(
  file: ModelFile,
  { placement }: ModelConfig,
  { inline, worker }: RuntimePlaces,
  previous: Placement | undefined,
): Promise<LoadedModel> {
  if (inline === undefined) return worker.load(file);
  const isTried =
    placement === "auto" && previous !== "worker" && (await sizeOf(file.path)) <= TRIAL_BYTES_MAX;
  return (placement === "inline" || isTried ? inline : worker).load(file);
}

/** @returns 0 for a file that is not there: loading says so better. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}

/**
 * Moves a model to where its run time says it belongs: below a millisecond to the serving loop, else to a thread.
 * @param model the first copy; closed when another takes its place.
 * @param example inputs that run.
 * @returns the copy to use.
 */
export async function placeModel(
  model: LoadedModel,
  example: readonly Tensor[],
  file: ModelFile,
  { inline, worker }: RuntimePlaces,
): Promise<LoadedModel> {
  if (inline === undefined) return model;
  const runMs = await shortestRunMs(model, example);
  const belongs: Placement = runMs < INLINE_RUN_MS_MAX ? "inline" : "worker";
  if (belongs === model.placement) return model;
  const startedMs = performance.now();
  const moved = await (belongs === "inline" ? inline : worker).load(file);
  if (belongs === "inline" && performance.now() - startedMs > INLINE_LOAD_MS_MAX) {
    await moved.close();
    return model;
  }
  await model.close();
  return moved;
}

async function shortestRunMs(model: LoadedModel, example: readonly Tensor[]): Promise<number> {
  const names = model.description.outputs.map((output) => output.name);
  let shortest = Infinity;
  // The first run allocates memory; one that is slow beyond doubt is not repeated.
  for (let i = 0; i < TRIAL_RUNS && (i === 0 || shortest < 20 * INLINE_RUN_MS_MAX); i++) {
    shortest = Math.min(shortest, (await model.run(example, names)).computeMs);
  }
  return shortest;
}

/** Copies of a model that run side by side: as many as the cores of this process carry, on the loop always one. */
export function instanceCountOf(
  { instances, threads }: ModelConfig,
  placement: Placement,
  coresOfProcess: number,
): number {
  if (placement === "inline") return 1;
  return instances === "auto" ? Math.max(1, Math.floor(coresOfProcess / threads)) : instances;
}

/** What loads a further copy of a model that stays where the first one is. */
export function runtimeAt({ inline, worker }: RuntimePlaces, placement: Placement): Runtime {
  return placement === "inline" && inline !== undefined ? inline : worker;
}
