import { describe, expect, it } from "vitest";
import { compareLabel } from "../core/compare/compare-label.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import { ReplayTally, type ReplayOutcome } from "./replay-tally.ts";
import { logged, NOON_US } from "./test-logged.ts";
import { readRowsOf } from "./test-read-rows.ts";

const HOUR_US = 3_600_000_000;

function scores(rows: readonly (readonly number[])[]): Tensor {
  const data = Float32Array.from(rows.flat());
  return { name: "probabilities", datatype: "FP32", shape: [rows.length, 3], data };
}

const SETOSA = [1, 0, 0];
const VIRGINICA = [0, 0, 1];

function answered(...labels: readonly string[]): ReplayOutcome {
  const predictions = labels.map((label) => ({ value: SETOSA, label }));
  return { kind: "answered", predictions, inferUs: 300, totalUs: 500 };
}

const FAILED: ReplayOutcome = { kind: "failed", code: "MODEL_FAILED", message: "no" };

const request = (
  rows: readonly (readonly number[])[],
  changes: Parameters<typeof logged>[2] = {},
) => readRowsOf(logged([scores(rows)], [scores(rows)], changes));

describe("ReplayTally", () => {
  it("counts rows by hour and by label, with what they have become", () => {
    const tally = new ReplayTally(compareLabel);
    tally.add(request([SETOSA, VIRGINICA], { number: 1 }), answered("setosa", "setosa"));
    const later = NOON_US + HOUR_US;
    tally.add(request([VIRGINICA], { number: 2, receivedUs: later }), answered("virginica"));
    tally.add(request([VIRGINICA], { number: 3, receivedUs: later }), answered("setosa"));
    tally.add(request([SETOSA, SETOSA], { number: 4, receivedUs: later }), FAILED);
    const { agreement, byHour, byLabel, errors, disagreements } = tally.report();
    expect(agreement).toMatchObject({ compared: 6, agreed: 2 });
    expect(byHour).toMatchObject([
      { name: "2026-11-20T12:00Z", compared: 2, agreed: 1, failed: 0 },
      { name: "2026-11-20T13:00Z", compared: 4, agreed: 1, failed: 2 },
    ]);
    expect(byHour[0]).not.toHaveProperty("became");
    expect(byLabel).toMatchObject([
      { name: "setosa", compared: 3, agreed: 1, failed: 2 },
      {
        name: "virginica",
        compared: 3,
        agreed: 1,
        failed: 0,
        became: [{ label: "setosa", rows: 2 }],
      },
    ]);
    expect(errors).toEqual({
      candidate: [{ name: "MODEL_FAILED", count: 1 }],
      logged: [],
      answered: 0,
    });
    const id = "01992f3c-7a5e-7cc1-b6d4-00000000000";
    expect(disagreements.map(({ predictionId, detail }) => [predictionId, detail])).toEqual([
      [`${id}1#1`, "virginica → setosa"],
      [`${id}3`, "virginica → setosa"],
      [`${id}4#0`, "no"],
      [`${id}4#1`, "no"],
    ]);
    expect(disagreements[0]).toMatchObject({
      inputs: '{"probabilities":[0,0,1]}',
      logged: "virginica [0,0,1]",
      candidate: "setosa [1,0,0]",
    });
  });

  it("compares latency without what failed, and models without what came out of a cache", () => {
    const tally = new ReplayTally(compareLabel);
    tally.add(request([SETOSA], { inferUs: 100, totalUs: 200 }), answered("setosa"));
    tally.add(
      request([SETOSA], { inferUs: 0, totalUs: 10, of: { role: "cache" } }),
      answered("setosa"),
    );
    tally.add(request([SETOSA], { inferUs: 9000, totalUs: 9000 }), FAILED);
    const { inferUs, totalUs } = tally.report().latency;
    expect(inferUs).toEqual({
      logged: { p50: 100, p90: 100, p99: 100, max: 100 },
      candidate: { p50: 300, p90: 300, p99: 300, max: 300 },
    });
    expect([totalUs.logged?.p50, totalUs.logged?.max, totalUs.candidate?.max]).toEqual([
      10, 200, 500,
    ]);
  });

  it("keeps the first twenty rows that differ, however many there are, and names no longer than people read", () => {
    const tally = new ReplayTally(compareLabel);
    for (let number = 0; number < 50; number++) {
      tally.add(request([SETOSA], { number }), answered("x".repeat(1000)));
    }
    const { disagreements, byLabel } = tally.report();
    expect(disagreements).toHaveLength(20);
    expect(byLabel[0]?.became?.[0]).toEqual({ label: `${"x".repeat(59)}…`, rows: 50 });
  });
});
