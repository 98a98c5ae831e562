import { expect, it } from "vitest";
import type { MetricReport, MetricState } from "../../core/experiment/experiment-report.ts";
import { numbersOf } from "./experiment-numbers.ts";
import { analysisAt } from "./test-releases.ts";

function guardrailOf(source: MetricReport["source"], state: MetricState): MetricReport {
  const comparison = { arm: "treatment", difference: undefined, relative: undefined, state };
  return {
    name: source.kind,
    role: "guardrail",
    goal: "decrease",
    source,
    arms: [],
    comparisons: [
      {
        ...comparison,
        interval: undefined,
        pValue: undefined,
        adjustedPValue: undefined,
        varianceReduction: undefined,
      },
    ],
  };
}

it("numbersOf() names guardrails of requests that see nothing, and waits for no window", () => {
  const refund = { kind: "event", event: "refund", aggregate: "converted" } as const;
  const metrics = [
    guardrailOf({ kind: "errors" }, "no_data"),
    guardrailOf({ kind: "slow" }, "unclear"),
    guardrailOf(refund, "no_data"),
  ];
  expect(numbersOf(analysisAt(1, { metrics })).blind).toEqual([
    "errors of treatment has too little data",
  ]);
});
