import { describe, expect, test } from "vitest";
import { BatchCap } from "./batch-cap.ts";
import { LatencyModel } from "./latency-model.ts";

/** A model that knows `timeOf` for every size up to `rowsMax`, and leaves no room. */
function modelOf(rowsMax: number, timeOf: (rows: number) => number): LatencyModel {
  const model = new LatencyModel(rowsMax);
  for (let i = 0; i < 30 * rowsMax; i++) {
    const rows = 1 + (i % rowsMax);
    model.observe(rows, timeOf(rows));
  }
  return model;
}

function capOf(
  timeOf: (rows: number) => number,
  { rowsMax = 32, runMsMax = Infinity }: { rowsMax?: number; runMsMax?: number } = {},
): BatchCap {
  return new BatchCap(modelOf(rowsMax, timeOf), { rowsMax, runMsMax });
}

describe("BatchCap.rows", () => {
  test("is rowsMax before anything is known", () => {
    const cap = new BatchCap(new LatencyModel(32), { rowsMax: 32, runMsMax: 1 });
    expect(cap.rows).toBe(32);
  });

  test("is 1 when a row costs the same in any batch", () => {
    expect(capOf((rows) => 6 * rows).rows).toBe(1);
  });

  test("is rowsMax when most of a run is its fixed part", () => {
    expect(capOf((rows) => 0.025 * rows + 0.28).rows).toBe(32);
  });

  test("is rowsMax also where that is no power of two", () => {
    expect(capOf((rows) => 0.025 * rows + 0.28, { rowsMax: 24 }).rows).toBe(24);
  });

  test("stops at the size from which doubling gains less than 5 %", () => {
    // Rows per ms: 1 → 0.5, 2 → 0.67, 4 → 0.8, 8 → 0.89, 16 → 0.94, 32 → 0.97: the last two gain 5.9 and 3 %.
    expect(capOf((rows) => rows + 1).rows).toBe(16);
  });

  test("goes beyond a step in the curve when the sizes behind it are worth it", () => {
    const stepped = (rows: number): number => 1 + 0.01 * rows + (rows >= 8 ? 1.2 : 0);
    expect(stepped(8)).toBeGreaterThan(2 * stepped(4));
    expect(capOf(stepped).rows).toBe(32);
  });

  test("stops before a step when the sizes behind it gain nothing", () => {
    expect(capOf((rows) => (rows < 8 ? 1 + 0.01 * rows : rows)).rows).toBe(4);
  });

  test("is the largest doubling whose run takes at most runMsMax", () => {
    expect(capOf((rows) => 0.1 * rows + 1, { runMsMax: 2 }).rows).toBe(8);
    expect(capOf((rows) => 0.1 * rows + 1, { runMsMax: 2.7 }).rows).toBe(16);
  });

  test("is 1 when even a single row takes longer than runMsMax", () => {
    expect(capOf((rows) => 0.1 * rows + 10, { runMsMax: 2 }).rows).toBe(1);
  });
});

describe("BatchCap.observe()", () => {
  test("looks at the curve again after 16 runs", () => {
    const model = new LatencyModel(8);
    const cap = new BatchCap(model, { rowsMax: 8, runMsMax: Infinity });
    for (let i = 0; i < 15; i++) {
      const rows = 1 + (i % 8);
      model.observe(rows, 6 * rows);
      cap.observe(rows, 6 * rows);
    }
    expect(cap.rows).toBe(8);
    model.observe(8, 48);
    cap.observe(8, 48);
    expect(cap.rows).toBe(1);
  });

  test("shrinks to 0.9 of the size after a run that took longer than runMsMax", () => {
    const cap = capOf((rows) => 0.1 * rows + 1, { rowsMax: 32, runMsMax: 10 });
    cap.observe(30, 10);
    expect(cap.rows).toBe(32);
    cap.observe(30, 10.1);
    expect(cap.rows).toBe(27);
    cap.observe(32, 11);
    expect(cap.rows).toBe(24);
  });

  test("grows by one row after 100 runs that did not, and up to rowsMax", () => {
    const cap = capOf((rows) => 0.1 * rows + 1, { rowsMax: 32, runMsMax: 10 });
    cap.observe(32, 11);
    expect(cap.rows).toBe(28);
    for (let i = 0; i < 99; i++) cap.observe(28, 4);
    expect(cap.rows).toBe(28);
    cap.observe(28, 4);
    expect(cap.rows).toBe(29);
    for (let i = 0; i < 1_000; i++) cap.observe(28, 4);
    expect(cap.rows).toBe(32);
  });

  test("counts the clean runs anew after a long one", () => {
    const cap = capOf((rows) => 0.1 * rows + 1, { rowsMax: 32, runMsMax: 10 });
    for (let i = 0; i < 99; i++) cap.observe(32, 4);
    cap.observe(20, 11);
    expect(cap.rows).toBe(18);
    cap.observe(18, 4);
    expect(cap.rows).toBe(18);
  });

  test("measures other sizes again: of 64 runs one of twice the size, one of half of it", () => {
    const cap = capOf((rows) => (rows < 8 ? 1 + 0.01 * rows : rows), { rowsMax: 32 });
    const sizes: number[] = [];
    for (let i = 0; i < 128; i++) {
      sizes.push(cap.rows);
      cap.observe(cap.rows, 1);
    }
    const other = sizes.flatMap((rows, i) => (rows === 4 ? [] : [[i, rows]]));
    expect(other).toEqual([
      [32, 8],
      [63, 2],
      [96, 8],
      [127, 2],
    ]);
  });

  test("gives up a size that only looked better because a smaller one was measured in a bad moment", () => {
    const timeOf = (rows: number): number => 6 * rows;
    const model = new LatencyModel(8);
    for (let i = 0; i < 16; i++)
      for (const rows of [1, 2, 4, 8]) model.observe(rows, timeOf(rows) + 4);
    const cap = new BatchCap(model, { rowsMax: 8, runMsMax: Infinity });
    expect(cap.rows).toBe(8);
    for (let i = 0; i < 5_000; i++) {
      const { rows } = cap;
      model.observe(rows, timeOf(rows));
      cap.observe(rows, timeOf(rows));
    }
    expect(cap.rows).toBe(1);
  });

  test("keeps the size when one row alone takes too long, and never falls below 1", () => {
    const cap = capOf((rows) => 0.1 * rows + 1, { rowsMax: 32, runMsMax: 10 });
    cap.observe(1, 50);
    expect(cap.rows).toBe(32);
    for (let i = 0; i < 100; i++) cap.observe(2, 50);
    expect(cap.rows).toBe(1);
  });
});
