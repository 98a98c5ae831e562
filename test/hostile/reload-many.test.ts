import { expect, it } from "vitest";
import { reloadMany } from "./reload-many.ts";

it("40 reloads under requests fail none of them, and leave no copy of the model in memory", async () => {
  const report = await reloadMany({ reloads: 40 });
  expect(report.failedRequests).toBe(0);
  expect(report.requests).toBeGreaterThan(40);
  // The heap of a young process grows; forty copies of a model with its session would be some 100 MiB.
  expect(report.growthMib).toBeLessThan(60);
});
