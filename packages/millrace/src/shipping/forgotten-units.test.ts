import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { SegmentId } from "../core/predictions/segment-name.ts";
import { ForgottenUnits, NOTED_PREDICTIONS_MAX } from "./forgotten-units.ts";

const root = mkdtempSync(join(tmpdir(), "millrace-forgotten-"));
afterAll(() => rmSync(root, { recursive: true }));

const SEGMENT: SegmentId = { writer: "p0-1", table: "feedback", number: 1 };

function newFolder(): string {
  return mkdtempSync(join(root, "log-"));
}

function notedIn(folder: string): unknown {
  return JSON.parse(readFileSync(join(folder, "forgotten.json"), "utf8"));
}

it("add() notes a unit and its predictions, and what was noted of them before", async () => {
  const folder = newFolder();
  const units = await ForgottenUnits.open(folder);
  await units.add({ unitHash: "ann", untilUs: 5, predictionIds: ["a", "b"] }, [SEGMENT]);
  await units.add({ unitHash: "ann", untilUs: 9, predictionIds: ["b", "c"] }, []);
  for (const known of [units, await ForgottenUnits.open(folder)]) {
    expect([known.has("ann", 9), known.has("ann", 10), known.has("bob", 1)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(["a", "b#3", "c"].map((id) => known.hasPrediction(id, 9))).toEqual([true, true, true]);
    expect([known.hasPrediction("a", 10), known.hasPrediction("d", 1)]).toEqual([false, false]);
  }
});

it("add() refuses more predictions than it may note, and changes nothing", async () => {
  const folder = newFolder();
  const units = await ForgottenUnits.open(folder);
  const ids = Array.from({ length: NOTED_PREDICTIONS_MAX }, (_, index) => `p${index}`);
  await units.add({ unitHash: "ann", untilUs: 5, predictionIds: ids }, [SEGMENT]);
  await units.add({ unitHash: "ann", untilUs: 6, predictionIds: ids }, [SEGMENT]);
  const bob = { unitHash: "bob", untilUs: 5, predictionIds: ["one more"] };
  const expected = {
    code: "LOG_UNAVAILABLE",
    message: expect.stringContaining(`names ${NOTED_PREDICTIONS_MAX + 1} predictions`) as string,
  };
  await expect(units.add(bob, [SEGMENT])).rejects.toMatchObject(expected);
  await expect(units.during(bob, () => Promise.resolve())).rejects.toMatchObject(expected);
  expect([units.has("bob", 1), units.hasPrediction("p0", 6)]).toEqual([false, true]);
  expect(notedIn(folder)).toMatchObject({ units: [{ unitHash: "ann" }] });
});

it("during() knows a unit until its end, and notes nothing", async () => {
  const folder = newFolder();
  const units = await ForgottenUnits.open(folder);
  await units.add({ unitHash: "ann", untilUs: 5, predictionIds: ["a"] }, [SEGMENT]);
  const before = notedIn(folder);
  const known = (): readonly boolean[] => [
    units.has("bob", 5),
    units.hasPrediction("b", 5),
    units.hasPrediction("a", 5),
  ];
  const unit = { unitHash: "bob", untilUs: 5, predictionIds: ["b"] };
  expect(await units.during(unit, () => Promise.resolve(known()))).toEqual([true, true, true]);
  const failed = units.during(unit, () => Promise.reject(new Error("the disk is gone")));
  await expect(failed).rejects.toThrow("the disk is gone");
  expect(known()).toEqual([false, false, true]);
  expect(notedIn(folder)).toEqual(before);
});

it("open() reads what an older version noted, without predictions", async () => {
  const folder = newFolder();
  const unit = { unitHash: "ann", untilUs: 5, segments: ["p0-1/feedback-00000001.segment"] };
  writeFileSync(join(folder, "forgotten.json"), JSON.stringify({ units: [unit] }));
  const units = await ForgottenUnits.open(folder);
  expect([units.has("ann", 5), units.hasPrediction("a", 5)]).toEqual([true, false]);
  await units.keepFor([], 10 * 60_000_000);
  expect(notedIn(folder)).toEqual({ units: [] });
});
