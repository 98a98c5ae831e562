import { expect, it } from "vitest";
import { missingParts } from "./missing-parts.ts";
import { analysisAt, experimentOf } from "./test-releases.ts";
import type { ReportedExperiment } from "./traffic-report.ts";

function reported(file: Partial<ReportedExperiment["file"]> = {}): ReportedExperiment {
  const config = experimentOf();
  return { service: "iris", config, file: { ...config, ...file } };
}

it("missingParts() names arms that cannot answer, with the reason", () => {
  expect(missingParts(reported(), { forest: "no such file", other: "x" }, [])).toEqual([
    "arm treatment is not ready: no such file",
  ]);
});

it("missingParts() names what the file says against it", () => {
  expect(missingParts(reported({ winner: "treatment", isActive: false }), {}, [])).toEqual([
    "the file names the winner: treatment",
    "the file switches it off",
  ]);
});

it.each([
  [200, 100, 0],
  [200, 101, 1],
  [19, 19, 0],
  [20, 20, 1],
])(
  "missingParts() with %i predictions of the control arm, %i failed, names %i",
  (predictions, errors, count) => {
    const [control] = analysisAt(0).arms;
    if (control === undefined) throw new Error("there is one");
    const arms = [{ ...control, predictions, errors }];
    expect(missingParts(reported(), {}, arms)).toHaveLength(count);
  },
);
