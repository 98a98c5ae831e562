import { joinRows, sliceRows } from "../core/tensor/rows.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import type { LoadedModel } from "../ports/runtime.ts";

export interface RunTiming {
  readonly rows: number;
  /** The shortest of several: whatever disturbs a run makes it longer. */
  readonly runMs: number;
}

/** Time the whole measurement may take, beside the run in progress. */
const BUDGET_MS = 250;

/** Runs per size: more of short ones, where one interruption tells nothing. */
const RUNS_OF_SHORT = 5;
const RUNS_OF_LONG = 3;
const SHORT_MS = 1;

/** Doublings in a row that gain less than 5 % throughput, after which larger batches are not tried. */
const USELESS_DOUBLINGS = 2;
const GAIN_MIN = 1.05;

/**
 * Times a model at 1, 2, 4, … rows: what the scheduler knows before the first request.
 * @param example inputs that run, at least one row.
 * @param rowsMax 1 for a model that is not batched: then it is timed with the example as it is.
 */
export async function measureRuns(
  model: LoadedModel,
  example: readonly Tensor[],
  rowsMax: number,
): Promise<RunTiming[]> {
  const names = model.description.outputs.map((output) => output.name);
  const timings: RunTiming[] = [];
  const endMs = performance.now() + BUDGET_MS;
  let bestRowsPerMs = 0;
  let uselessDoublings = 0;
  for (let rows = 1; rows <= rowsMax && uselessDoublings < USELESS_DOUBLINGS; rows *= 2) {
    const inputs = rowsMax === 1 ? example : example.map((input) => repeatFirstRow(input, rows));
    const runMs = await shortestMs(model, inputs, names).catch(() => undefined);
    // What is too large for the model is found out again, and cut in halves, when requests bring it.
    if (runMs === undefined) break;
    timings.push({ rows, runMs });
    const rowsPerMs = rows / runMs;
    uselessDoublings = rowsPerMs < GAIN_MIN * bestRowsPerMs ? uselessDoublings + 1 : 0;
    bestRowsPerMs = Math.max(bestRowsPerMs, rowsPerMs);
    if (performance.now() > endMs) break;
  }
  return timings;
}

async function shortestMs(
  model: LoadedModel,
  inputs: readonly Tensor[],
  names: readonly string[],
): Promise<number> {
  // The first run of a size allocates its memory.
  const first = (await model.run(inputs, names)).computeMs;
  if (first > BUDGET_MS / 4) return first;
  let shortest = Infinity;
  const count = first < SHORT_MS ? RUNS_OF_SHORT : RUNS_OF_LONG;
  for (let run = 0; run < count; run++) {
    shortest = Math.min(shortest, (await model.run(inputs, names)).computeMs);
  }
  return shortest;
}

function repeatFirstRow(input: Tensor, rows: number): Tensor {
  const row = sliceRows(input, 0, 1);
  return rows === 1 ? row : joinRows(new Array<Tensor>(rows).fill(row));
}
