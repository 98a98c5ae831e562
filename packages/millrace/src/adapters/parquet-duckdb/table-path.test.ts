import { expect, it } from "vitest";
import {
  feedbackPartition,
  hourFoldersAround,
  modelOf,
  nameOf,
  pathIn,
  predictionPartition,
  rewrittenName,
  tableFileAt,
} from "./table-path.ts";

/** 2026-12-31 23:59:59.999999 UTC */
const LAST_US = Date.UTC(2027, 0, 1) * 1_000 - 1;

it("predictionPartition() is by date, hour and model, in UTC", () => {
  const folder = "predictions/dt=2026-12-31/hour=23/model=iris-svc_v1.2";
  expect(predictionPartition(LAST_US, "iris-svc_v1.2")).toBe(folder);
  expect(predictionPartition(LAST_US + 1, "a")).toBe("predictions/dt=2027-01-01/hour=00/model=a");
});

it.each(["", ".", "..", "../../etc", "a/b", "a\\b", "*", "ä b", "%2f", "model=x"])(
  "predictionPartition() makes one folder of the model %j",
  (model) => {
    const path = pathIn(predictionPartition(LAST_US, model), "p0-1");
    expect(path.split("/")).toHaveLength(5);
    expect(path).not.toMatch(/\/\.\.?\//);
    expect(path).not.toContain("*");
    const file = tableFileAt(path, 7);
    expect(file).toMatchObject({ table: "predictions", hour: 23, byteLength: 7 });
    const isName = !["", ".", ".."].includes(model);
    expect(modelOf(file?.partition ?? "")).toBe(isName ? model : "unknown");
  },
);

it.each([-1, NaN, 1e300, -1e300, Infinity])("the partition of the time %j is one", (us) => {
  expect(predictionPartition(us, "a")).toBe("predictions/dt=1970-01-01/hour=00/model=a");
  expect(feedbackPartition(us)).toBe("feedback/dt=1970-01-01");
});

it("hourFoldersAround() has the hours before and after, over midnight", () => {
  expect(hourFoldersAround(Date.UTC(2026, 11, 31, 23, 59))).toEqual([
    "dt=2026-12-31/hour=22",
    "dt=2026-12-31/hour=23",
    "dt=2027-01-01/hour=00",
  ]);
});

it("tableFileAt() knows what is no file of a table", () => {
  for (const path of [
    "other/dt=2026-01-01/a.parquet",
    "feedback/a.parquet",
    "feedback/dt=x/a.parquet",
  ]) {
    expect(tableFileAt(path, 1)).toBeUndefined();
  }
  expect(tableFileAt("feedback/dt=2026-01-01/a.parquet.tmp", 1)).toBeUndefined();
});

it("rewrittenName() says that the payload is gone", () => {
  for (const isWithoutPayload of [true, false]) {
    const path = pathIn(feedbackPartition(0), rewrittenName("1-2", isWithoutPayload));
    expect(tableFileAt(path, 1)).toMatchObject({ isWithoutPayload });
    expect(nameOf(path)).toMatch(/^r-1-2/);
  }
});
