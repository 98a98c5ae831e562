import { agreementOf } from "./agreement-of.ts";
import type { ReplayReport } from "./replay-report.ts";

/** A report with something in every part of it. */
export const TEST_REPORT: ReplayReport = {
  service: "iris",
  candidate: { name: "iris-rf", model: "iris-rf@1", digest: "3f2a9c0e51d7aa" },
  from: "2026-11-20T17:00:00.000Z",
  until: "2026-11-21T17:00:00.000Z",
  speed: 10,
  compare: "label",
  end: "complete",
  tookMs: 12_340,
  requests: {
    found: 12_400,
    replayed: 12_345,
    skipped: [
      { name: '"age" is hashed: log.redact', count: 50 },
      { name: "it failed", count: 5 },
    ],
  },
  agreement: agreementOf(12_001, 12_345),
  errors: {
    candidate: [{ name: "MODEL_FAILED", count: 3 }],
    logged: [{ name: "DEADLINE_EXCEEDED", count: 2 }],
    answered: 1,
  },
  latency: {
    inferUs: {
      logged: { p50: 31, p90: 44, p99: 120, max: 2_400 },
      candidate: { p50: 210, p90: 260, p99: 540, max: 12_300 },
    },
    totalUs: {
      logged: { p50: 95, p90: 160, p99: 480, max: 5_100 },
      candidate: { p50: 320, p90: 410, p99: 900, max: 1_200_000 },
    },
  },
  rate: { logged: 0.143, offered: 1.43, reached: 1000.4, lateMsMax: 2.5 },
  byHour: [
    { name: "2026-11-20T17:00Z", ...agreementOf(6000, 6000), failed: 0 },
    { name: "2026-11-20T18:00Z", ...agreementOf(6001, 6345), failed: 3 },
  ],
  byLabel: [
    { name: "setosa", ...agreementOf(4000, 4000), failed: 0, became: [] },
    {
      name: "versicolor",
      ...agreementOf(3900, 4100),
      failed: 3,
      became: [{ label: "virginica", rows: 197 }],
    },
    {
      name: "virginica",
      ...agreementOf(4101, 4245),
      failed: 0,
      became: [{ label: "versicolor", rows: 144 }],
    },
  ],
  disagreements: [
    {
      predictionId: "01992f3c-7a5e-7cc1-b6d4-3f0a9c2e51d7",
      inputs: '{"sepal_length":6,"sepal_width":2.7,"petal_length":5.1,"petal_width":1.6}',
      logged: "versicolor [0.01,0.62,0.37]",
      candidate: "virginica [0,0.31,0.69]",
      detail: "versicolor → virginica",
    },
    {
      predictionId: "01992f3c-7a5e-7cc1-b6d4-3f0a9c2e51d8#3",
      inputs: '{"note":"<img src=x onerror=alert(1)>"}',
      logged: "setosa [1,0,0]",
      candidate: "MODEL_FAILED",
      detail: "Model failed & <b>said</b> so",
    },
  ],
};
