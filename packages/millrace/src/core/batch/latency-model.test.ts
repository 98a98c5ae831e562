import { describe, expect, test } from "vitest";
import { TestRandom } from "../test-random.ts";
import { LatencyModel } from "./latency-model.ts";

const ROWS_MAX = 32;

/** Runs of all sizes in turn, `rounds` times. */
function learnAll(model: LatencyModel, rounds: number, timeOf: (rows: number) => number): void {
  for (let i = 0; i < rounds * ROWS_MAX; i++) {
    const rows = 1 + (i % ROWS_MAX);
    model.observe(rows, timeOf(rows));
  }
}

describe("LatencyModel", () => {
  test("expects 0 before it has seen a run", () => {
    const model = new LatencyModel(ROWS_MAX);
    expect([model.expectMs(1), model.predictMs(8), model.sampleCount]).toEqual([0, 0, 0]);
  });

  test("finds the line from two sizes when there is no noise", () => {
    const model = new LatencyModel(ROWS_MAX);
    for (let i = 0; i < 20; i++) {
      model.observe(2, 0.25 * 2 + 3);
      model.observe(20, 0.25 * 20 + 3);
    }
    expect(model.perRowMs).toBeCloseTo(0.25, 4);
    expect(model.fixedMs).toBeCloseTo(3, 3);
    expect(model.expectMs(11)).toBeCloseTo(0.25 * 11 + 3, 3);
    expect(model.sampleCount).toBe(40);
  });

  test("follows a model that has become slower", () => {
    const model = new LatencyModel(ROWS_MAX);
    learnAll(model, 20, (rows) => 0.1 * rows + 1);
    learnAll(model, 10, (rows) => 0.4 * rows + 5);
    expect(model.perRowMs).toBeCloseTo(0.4, 2);
    expect(model.fixedMs).toBeCloseTo(5, 1);
    // Where a size has a mean of its own, the old one weighs 0.9 ** 10 after 10 runs.
    expect(model.expectMs(8)).toBeCloseTo(8.2 - 0.9 ** 10 * (8.2 - 1.8), 9);
  });

  test("expects the right time for the only size it has seen, however often", () => {
    const model = new LatencyModel(ROWS_MAX);
    for (let i = 0; i < 10_000; i++) model.observe(4, 10);
    expect(model.expectMs(4)).toBeCloseTo(10, 6);
    // What another size takes is unknown; it stays within reason and is learnt at once.
    expect(model.expectMs(8)).toBeGreaterThanOrEqual(10);
    expect(model.expectMs(8)).toBeLessThanOrEqual(20);
    for (let i = 0; i < 5; i++) model.observe(8, 12);
    expect(model.expectMs(8)).toBeCloseTo(12, 1);
  });

  test("takes a size's own mean after 8 runs of it, not after 7", () => {
    const model = new LatencyModel(ROWS_MAX);
    learnAll(model, 1, (rows) => rows);
    for (let i = 0; i < 6; i++) model.observe(16, i % 2 === 0 ? 99 : 101);
    expect(model.expectMs(16)).not.toBeCloseTo((16 + 600) / 7, 6);
    model.observe(16, 100);
    expect(model.expectMs(16)).toBeCloseTo((16 + 600 + 100) / 8, 9);
    model.observe(16, 200);
    expect(model.expectMs(16)).toBeCloseTo(89.5 + 0.1 * (200 - 89.5), 9);
  });

  test("takes the line for sizes beyond rowsMax", () => {
    const model = new LatencyModel(4);
    for (let i = 0; i < 100; i++) model.observe(1 + (i % 8), 1 + (i % 8));
    expect(model.expectMs(50)).toBeCloseTo(50, 1);
  });

  test("never expects less than nothing per row or per run", () => {
    const model = new LatencyModel(ROWS_MAX);
    for (let i = 0; i < 50; i++) {
      model.observe(1, 10);
      model.observe(32, 1);
    }
    expect(model.perRowMs).toBeGreaterThanOrEqual(0);
    const steep = new LatencyModel(ROWS_MAX);
    for (let i = 0; i < 50; i++) {
      steep.observe(1, 0.001);
      steep.observe(32, 100);
    }
    expect(steep.fixedMs).toBeGreaterThanOrEqual(0);
    expect(steep.perRowMs).toBeGreaterThan(1);
  });

  test("predicts a time that 92 to 99 of 100 runs keep, whatever the noise", () => {
    for (const seed of [1, 2, 3]) {
      for (const noise of [0.05, 0.2, 0.4]) {
        const random = new TestRandom(seed);
        const model = new LatencyModel(ROWS_MAX);
        const draw = (rows: number): number => (0.2 * rows + 2) * Math.exp(noise * normal(random));
        for (let i = 0; i < 2_000; i++) {
          const rows = 1 + random.below(ROWS_MAX);
          model.observe(rows, draw(rows));
        }
        let keptCount = 0;
        for (let i = 0; i < 4_000; i++) {
          const rows = 1 + random.below(ROWS_MAX);
          const tookMs = draw(rows);
          if (tookMs <= model.predictMs(rows)) keptCount++;
          model.observe(rows, tookMs);
        }
        expect(keptCount / 4_000, `seed ${seed}, noise ${noise}`).toBeGreaterThan(0.92);
        expect(keptCount / 4_000, `seed ${seed}, noise ${noise}`).toBeLessThan(0.99);
      }
    }
  });

  test("leaves room of at least nothing and at most three times the mean", () => {
    const steady = new LatencyModel(ROWS_MAX);
    for (let i = 0; i < 500; i++) steady.observe(1, 5);
    expect(steady.predictMs(1)).toBeCloseTo(5, 9);
    const wild = new LatencyModel(ROWS_MAX);
    for (let i = 0; i < 1_000; i++) wild.observe(1, i % 5 === 0 ? 1_000 : 1);
    expect(wild.predictMs(1) / wild.expectMs(1)).toBeLessThanOrEqual(4);
    expect(wild.predictMs(1) / wild.expectMs(1)).toBeGreaterThan(3);
  });

  test("teach() makes sizes known at once, and says little about the others yet", () => {
    const model = new LatencyModel(ROWS_MAX);
    // A convolution on one thread: the time of a row hardly depends on its company.
    model.teach(1, 6.05);
    model.teach(2, 11.9);
    model.teach(4, 24.5);
    expect([1, 2, 4].map((rows) => model.expectMs(rows))).toEqual([6.05, 11.9, 24.5].map(near));
    expect(model.expectMs(8)).toBeGreaterThan(44);
    expect(model.sampleCount).toBeGreaterThan(0);
    model.observe(1, 7.05);
    expect(model.expectMs(1)).toBeCloseTo(6.15, 6);
  });

  test("startFrom() knows what the other knew and is quick to learn otherwise", () => {
    const known = new LatencyModel(ROWS_MAX);
    learnAll(known, 20, (rows) => 0.5 * rows + 4);
    const model = new LatencyModel(ROWS_MAX);
    model.startFrom(known);
    expect(model.sampleCount).toBe(known.sampleCount);
    expect(model.expectMs(10)).toBeCloseTo(9, 2);
    expect(model.predictMs(10) / model.expectMs(10)).toBeCloseTo(
      known.predictMs(10) / known.expectMs(10),
      9,
    );
    model.observe(1, 2);
    model.observe(10, 20);
    model.observe(1, 2);
    expect(model.expectMs(10)).toBeCloseTo(20, 0);
    expect(known.expectMs(10)).toBeCloseTo(9, 6);
  });
});

function normal(random: TestRandom): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
  return radius * Math.cos(2 * Math.PI * random.next());
}

test("LatencyModel stays near what it measures when only one size occurs for long, however noisy", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = new TestRandom(seed);
    const model = new LatencyModel(64);
    for (const rows of [1, 2, 4, 8, 16, 32, 64]) model.observe(rows, 0.05 + 0.002 * rows);
    for (let run = 0; run < 2_000; run++) {
      model.observe(1, (random.below(20) === 0 ? 3 : 0.05) * (0.5 + random.next()));
    }
    expect(model.expectMs(64), `seed ${seed}`).toBeGreaterThan(0);
    expect(model.expectMs(64), `seed ${seed}`).toBeLessThan(20);
  }
});

function near(value: number): unknown {
  return expect.closeTo(value, 9);
}
