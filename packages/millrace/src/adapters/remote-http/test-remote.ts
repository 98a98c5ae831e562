import type { ServerResponse } from "node:http";
import { rowsTensor } from "../../core/graph/test-step.ts";
import type { TensorSpec } from "../../core/tensor/tensor.ts";
import type { RemoteOptions } from "../../ports/step-sources.ts";
import { jsonOf, reply, type Seen } from "./test-server.ts";

export const X: TensorSpec = { name: "x", datatype: "FP32", shape: [-1, 2] };
export const Y: TensorSpec = { name: "y", datatype: "FP32", shape: [-1] };
export const ROWS = [rowsTensor("x", [1, 2], [3, 4])];

/** As the file has it where it says nothing. */
export const EJECTION = {
  failures: 5,
  everyMs: 10_000,
  timeMs: 30_000,
  timeMsMax: 300_000,
  shareMax: 0.1,
  healthyMin: 0.5,
};

/** A model `m` that gives the sum of each row, over KServe V1. */
export function optionsOf(overrides: Partial<RemoteOptions>): RemoteOptions {
  return {
    urls: ["http://127.0.0.1:9"],
    protocol: "kserve-v1",
    model: overrides.protocol === "json" ? undefined : "m",
    version: undefined,
    inputs: [X],
    outputs: [Y],
    labels: undefined,
    headers: {},
    timeoutMs: 1_000,
    concurrency: 4,
    replyBytesMax: 100_000,
    ejection: EJECTION,
    hedge: undefined,
    ...overrides,
  };
}

/** Sums of the rows of `instances`. */
function sums(seen: Seen): number[] {
  const { instances } = jsonOf(seen) as { instances: number[][] };
  return instances.map(([a = 0, b = 0]) => a + b);
}

export function answerSums(seen: Seen, response: ServerResponse): void {
  if (seen.method === "GET") reply(response, {}, 404);
  else reply(response, { predictions: sums(seen) });
}
