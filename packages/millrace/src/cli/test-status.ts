import type { MetricReport } from "../core/experiment/experiment-report.ts";
import type { ExperimentStatus, ShadowStatus } from "../core/release/release-report.ts";

const AT_MS = Date.UTC(2026, 10, 21, 16);
const HOUR_MS = 3_600_000;

const PURCHASE: MetricReport = {
  name: "purchase",
  role: "primary",
  goal: "increase",
  source: { kind: "event", event: "purchase", aggregate: "converted" },
  arms: [
    { arm: "control", units: 6000, mean: 0.1, standardError: 0.004 },
    { arm: "treatment", units: 4000, mean: 0.112, standardError: 0.005 },
  ],
  comparisons: [
    {
      arm: "treatment",
      difference: 0.012,
      relative: 0.12,
      interval: { low: -0.004, high: 0.028 },
      pValue: 0.31,
      adjustedPValue: undefined,
      varianceReduction: 0.4,
      state: "unclear",
    },
  ],
};

const REVENUE: MetricReport = {
  name: "revenue",
  role: "secondary",
  goal: "increase",
  source: { kind: "event", event: "purchase", aggregate: "sum" },
  arms: [
    { arm: "control", units: 6000, mean: 12.3456, standardError: 0.4 },
    { arm: "treatment", units: 4000, mean: 13.5, standardError: 0.5 },
  ],
  comparisons: [
    {
      arm: "treatment",
      difference: 1.1544,
      relative: 0.0935,
      interval: { low: 0.2, high: 2.1088 },
      pValue: 0.00001,
      adjustedPValue: 0.00002,
      varianceReduction: undefined,
      state: "better",
    },
  ],
};

const ERRORS: MetricReport = {
  name: "errors",
  role: "guardrail",
  goal: "decrease",
  source: { kind: "errors" },
  arms: [
    { arm: "control", units: 6000, mean: 0.001, standardError: 0.0001 },
    { arm: "treatment", units: 4000, mean: 0.0012, standardError: 0.0001 },
  ],
  comparisons: [
    {
      arm: "treatment",
      difference: 0.0002,
      relative: 0.2,
      interval: { low: null, high: 0.0011 },
      pValue: undefined,
      adjustedPValue: undefined,
      varianceReduction: undefined,
      state: "safe",
    },
  ],
};

/** An experiment in the middle of its ramp. */
export const EXPERIMENT: ExperimentStatus = {
  name: "rf-2026-11",
  service: "iris",
  phase: 2,
  arms: [
    { name: "control", to: "iris-svc", weight: 0.6 },
    { name: "treatment", to: "iris-rf", weight: 0.4 },
  ],
  control: "control",
  coverage: 0.2,
  isActive: true,
  winner: undefined,
  ramp: {
    state: {
      kind: "running",
      step: 1,
      sinceMs: AT_MS - HOUR_MS,
      isApproved: false,
      waitsFor: ["time: 2h are left", "approval"],
    },
    steps: [
      { coverage: 0.02, holdMs: HOUR_MS, unitsMin: 100, needsApproval: false },
      { coverage: 0.2, holdMs: HOUR_MS, unitsMin: 100, needsApproval: true },
      { coverage: 1, holdMs: HOUR_MS, unitsMin: 100, needsApproval: false },
    ],
  },
  analysis: {
    window: { fromMs: AT_MS - 48 * HOUR_MS, untilMs: AT_MS },
    computedAtMs: AT_MS,
    tookMs: 120.4,
    arms: [
      {
        arm: "control",
        isControl: true,
        weight: 0.6,
        units: 6000,
        predictions: 24_000,
        errors: 24,
        latencyMs: { p50: 1.234, p95: 3.4, p99: 5 },
      },
      {
        arm: "treatment",
        isControl: false,
        weight: 0.4,
        units: 4000,
        predictions: 16_000,
        errors: 19,
        latencyMs: undefined,
      },
    ],
    phases: [2],
    sampleRatios: [
      {
        of: "exposed",
        counts: [6000, 4000],
        expected: [6000, 4000],
        statistic: 0,
        pValue: 1,
        sequentialPValue: 1,
        isMismatch: false,
      },
    ],
    multipleExposures: 0,
    lastExposureMs: AT_MS,
    lastPredictionMs: AT_MS,
    metrics: [PURCHASE, REVENUE, ERRORS],
    decision: { kind: "keep_running", why: "purchase is unclear" },
  },
  decided: undefined,
  problem: undefined,
  events: [
    { atMs: AT_MS - HOUR_MS, by: "ramp", what: "step 2 of 3 (20 %)", why: "nothing was left" },
    { atMs: AT_MS - 2 * HOUR_MS, by: "ann", what: "resumed", why: "" },
  ],
};

/** A shadow that has passed. */
export const SHADOW: ShadowStatus = {
  name: "rf",
  service: "iris",
  to: "iris-rf",
  share: 0.5,
  compare: "label",
  isExcluded: false,
  required: {
    agreementMin: 0.99,
    errorDifferenceMax: 0.005,
    latencyRatioMax: 1.2,
    pairsMin: 1000,
    lengthMinMs: 600_000,
  },
  skipped: { queue: 12, deadline: 0 },
  analysis: {
    window: { fromMs: AT_MS - HOUR_MS, untilMs: AT_MS },
    computedAtMs: AT_MS,
    tookMs: 8,
    model: "iris-rf@1",
    digest: "0123456789abcdef0123",
    pairs: 12_000,
    compared: 11_990,
    agreed: 11_960,
    agreement: { value: 0.9975, low: 0.9964, high: 0.9982 },
    errors: { primary: 2, shadow: 8 },
    errorDifference: { value: 0.0005, low: -0.0003, high: 0.0013 },
    latencyMs: {
      primary: { p50: 1, p95: 2, p99: 4 },
      shadow: { p50: 1.2, p95: 2.5, p99: 4.4 },
    },
    latencyRatio: 1.1,
    latencyDifferenceMs: { value: 0.21, low: 0.2, high: 0.22 },
    differences: [{ detail: "versicolor → virginica", count: 25 }],
    verdict: { kind: "pass", why: "all it has to keep to is kept" },
  },
  problem: undefined,
  events: [{ atMs: AT_MS, by: "verdict", what: "pass", why: "all it has to keep to is kept" }],
};
