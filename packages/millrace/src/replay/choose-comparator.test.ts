import { describe, expect, it } from "vitest";
import type { TensorSpec } from "../core/tensor/tensor.ts";
import type { Predictor } from "../models/predictor.ts";
import { chooseComparator, type CompareChoice } from "./choose-comparator.ts";

function chosen(
  choice: CompareChoice,
  datatype: TensorSpec["datatype"] | undefined,
  ...shape: number[]
) {
  const predictionOutput = datatype === undefined ? undefined : { name: "p", datatype, shape };
  const result = chooseComparator(choice, { predictionOutput } as Predictor);
  return "problem" in result ? result.problem : result.name;
}

const AUTO = { kind: "auto", tolerance: 0.01 } as const;

describe("chooseComparator()", () => {
  it("compares classes by label and single scores by tolerance when nobody says how", () => {
    expect(chosen(AUTO, "FP32", -1, 3)).toBe("label");
    expect(chosen(AUTO, "FP32", -1, -1)).toBe("label");
    expect(chosen(AUTO, "INT64", -1)).toBe("label");
    expect(chosen(AUTO, "BYTES", -1, 1)).toBe("label");
    expect(chosen(AUTO, undefined)).toBe("label");
    expect(chosen(AUTO, "FP32", -1, 1)).toBe("tolerance 0.01");
    expect(chosen(AUTO, "FP64", -1)).toBe("tolerance 0.01");
  });

  it("refuses what would say nothing", () => {
    expect(chosen({ kind: "label" }, "FP32", -1, 1)).toContain("names no class");
    expect(chosen({ kind: "top-k", k: 3 }, "FP32", -1, 3)).toBe(
      "--k 3: expected less than there are classes, the candidate has 3 classes",
    );
    expect(chosen({ kind: "top-k", k: 2 }, "FP32", -1, 3)).toBe("top-2");
    expect(chosen({ kind: "top-k", k: 5 }, "FP32", -1)).toContain("one value");
  });
});
