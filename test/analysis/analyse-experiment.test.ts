import { describe, expect, it } from "vitest";
import { at, HOUR_MS, idAt, PURCHASE, ReleaseLog, SINCE_MS } from "./release-log.ts";

describe("analyseExperiment()", () => {
  it("says that there is no data where there is none", async () => {
    await using log = new ReleaseLog();
    await log.add("exposures", [
      { ts: at(-10), variant: "control", unit_hash: "old", prediction_id: idAt(0) },
    ]);
    const analysis = await log.experiment();
    expect(analysis.decision).toEqual({ kind: "keep_running", why: "no data yet" });
    expect(analysis.window.fromMs).toBeUndefined();
    expect(analysis.metrics.map(({ comparisons }) => comparisons[0]?.state)).toEqual([
      "no_data",
      "no_data",
      "no_data",
    ]);
  });

  it("counts units, matured units, and events in the window of their unit", async () => {
    await using log = new ReleaseLog();
    const units = Array.from({ length: 40 }, (_, index) => ({
      unit: `u${index}`,
      variant: index % 2 === 0 ? "control" : "treatment",
      seconds: index,
    }));
    await log.add(
      "exposures",
      units.flatMap(({ unit, variant, seconds }) => [
        { ts: at(seconds), variant, unit_hash: unit, prediction_id: idAt(seconds) },
        { ts: at(seconds + 5000), variant, unit_hash: unit, prediction_id: idAt(seconds + 5000) },
      ]),
    );
    await log.add(
      "predictions",
      units.map(({ unit, variant, seconds }) => ({
        ts: at(seconds),
        variant,
        unit_hash: unit,
        prediction_id: idAt(seconds),
        total_us: 1000,
      })),
    );
    // In the window, at its end, after it, and before the exposure.
    await log.add("feedback", [
      { ts: at(1 + 60), unit_hash: "u1", feedback_id: "a" },
      { ts: at(3 + 3600), unit_hash: "u3", feedback_id: "b" },
      { ts: at(5 + 3601), unit_hash: "u5", feedback_id: "c" },
      { ts: at(6), unit_hash: "u7", feedback_id: "d" },
      { ts: at(70), prediction_id: idAt(0), unit_hash: null, feedback_id: "e" },
    ]);
    // The last ten have not had their hour.
    const now = SINCE_MS + HOUR_MS + 29_500;
    const analysis = await log.experiment({}, now);
    expect(analysis.arms.map(({ units: count, predictions }) => [count, predictions])).toEqual([
      [20, 20],
      [20, 20],
    ]);
    expect(analysis.window).toEqual({ fromMs: SINCE_MS, untilMs: now });
    const [purchase] = analysis.metrics;
    expect(purchase?.arms.map(({ units: count, mean }) => [count, mean])).toEqual([
      [15, 1 / 15],
      [15, 2 / 15],
    ]);
    expect(analysis.sampleRatios.map(({ of, counts }) => [of, counts])).toEqual([
      ["exposed", [20, 20]],
      ["matured", [15, 15]],
    ]);
  });
});
