import { expect, test } from "vitest";
import type { Tensor } from "../core/tensor/tensor.ts";
import { measureRuns } from "./measure-runs.ts";
import { ComputedModel } from "./test-loaded-model.ts";

const EXAMPLE: Tensor = {
  name: "INPUT",
  datatype: "FP32",
  shape: [2, 1],
  data: Float32Array.of(1, 2),
};

const identity = (inputs: readonly Tensor[]): Tensor[] => [...inputs];

test("measureRuns() times 1, 2, 4, … rows up to the largest batch", async () => {
  const model = new ComputedModel(identity, { computeMs: (rows) => 10 + rows });
  expect(await measureRuns(model, [EXAMPLE], 8)).toEqual([
    { rows: 1, runMs: 11 },
    { rows: 2, runMs: 12 },
    { rows: 4, runMs: 14 },
    { rows: 8, runMs: 18 },
  ]);
});

test("measureRuns() stops when two doublings in a row gain nothing", async () => {
  const model = new ComputedModel(identity, { computeMs: (rows) => rows });
  const timings = await measureRuns(model, [EXAMPLE], 64);
  expect(timings.map(({ rows }) => rows)).toEqual([1, 2, 4]);
});

test("measureRuns() takes the shortest run, so that an interrupted one tells nothing", async () => {
  const times = [9, 0.5, 700, 0.5, 0.5, 0.5];
  let run = 0;
  const model = new ComputedModel(identity, { computeMs: () => times[run++] ?? 0.5 });
  expect(await measureRuns(model, [EXAMPLE], 1)).toEqual([{ rows: 1, runMs: 0.5 }]);
});

test("measureRuns() times the example as it is when the model is not batched", async () => {
  const model = new ComputedModel(identity);
  await measureRuns(model, [EXAMPLE], 1);
  expect(new Set(model.rowsRun)).toEqual(new Set([2]));
});

test("measureRuns() does not repeat a run that takes longer than the whole measurement may", async () => {
  const model = new ComputedModel(identity, { computeMs: () => 300 });
  expect(await measureRuns(model, [EXAMPLE], 1)).toEqual([{ rows: 1, runMs: 300 }]);
  expect(model.rowsRun).toHaveLength(1);
});

test("measureRuns() keeps what it knows when the model fails with more rows", async () => {
  const model = new ComputedModel((inputs) => {
    if ((inputs[0]?.shape[0] ?? 0) > 2) throw new Error("too large");
    return [...inputs];
  });
  const timings = await measureRuns(model, [EXAMPLE], 64);
  expect(timings.map(({ rows }) => rows)).toEqual([1, 2]);
});
