import { describe, expect, it } from "vitest";
import { agreementOf } from "./agreement-of.ts";
import { TEST_REPORT } from "./test-report.ts";
import { textReport } from "./text-report.ts";

describe("textReport()", () => {
  it("shows every part of a report", () => {
    expect(textReport(TEST_REPORT)).toMatchInlineSnapshot(`
      "iris → iris-rf@1, compared by label, 2026-11-20T17:00:00Z to 2026-11-21T17:00:00Z

      agreement   97.21 % (12,001 of 12,345 rows; 95 % interval 96.91 % to 97.49 %)
      requests    12,345 of 12,400 replayed, 55 skipped:
                  50 because "age" is hashed: log.redact
                  5 because it failed
      errors      3 MODEL_FAILED; of 2 that had failed 1 answered
      rate        12,345 requests in 12.34 s, logged at 0.143/s, offered at 1.43/s, answered at 1,000/s, latest start 2.50 ms late

      latency                         p50        p90        p99        max
        model     logged            31 µs      44 µs     120 µs    2.40 ms
                  candidate        210 µs     260 µs     540 µs   12.30 ms
        total     logged            95 µs     160 µs     480 µs    5.10 ms
                  candidate        320 µs     410 µs     900 µs     1.20 s

      by label             rows  agreement
        setosa            4,000      100 %
        versicolor        4,100    95.12 %  → virginica 197, 3 failed
        virginica         4,245    96.61 %  → versicolor 144

      by hour                     rows  agreement
        2026-11-20T17:00Z        6,000      100 %
        2026-11-20T18:00Z        6,345    94.58 %  3 failed

      disagreements (344, the first 2)
        01992f3c-7a5e-7cc1-b6d4-3f0a9c2e51d7  versicolor → virginica
          inputs     {"sepal_length":6,"sepal_width":2.7,"petal_length":5.1,"petal_width":1.6}
          logged     versicolor [0.01,0.62,0.37]
          candidate  virginica [0,0.31,0.69]
        01992f3c-7a5e-7cc1-b6d4-3f0a9c2e51d8#3  Model failed & <b>said</b> so
          inputs     {"note":"<img src=x onerror=alert(1)>"}
          logged     setosa [1,0,0]
          candidate  MODEL_FAILED
      "
    `);
  });

  it("leaves out what there is not", () => {
    const text = textReport({
      ...TEST_REPORT,
      speed: "max",
      end: "interrupted",
      requests: { found: 0, replayed: 0, skipped: [] },
      agreement: agreementOf(0, 0),
      errors: { candidate: [], logged: [], answered: 0 },
      latency: {
        inferUs: { logged: undefined, candidate: undefined },
        totalUs: { logged: undefined, candidate: undefined },
      },
      rate: { logged: undefined, offered: undefined, reached: undefined, lateMsMax: undefined },
      byHour: [],
      byLabel: [],
      disagreements: [],
    });
    expect(text).toMatchInlineSnapshot(`
      "iris → iris-rf@1, compared by label, 2026-11-20T17:00:00Z to 2026-11-21T17:00:00Z, interrupted

      agreement   nothing was compared
      requests    0 of 0 replayed
      errors      none
      rate        0 requests in 12.34 s
      "
    `);
  });

  it("lets nothing of a request reach the terminal's controls", () => {
    const [group] = TEST_REPORT.byLabel;
    if (group === undefined) throw new Error("no group");
    const text = textReport({
      ...TEST_REPORT,
      byLabel: [{ ...group, name: "a\u001b[2Jb\u009b\n" }],
    });
    expect(text).toContain("  a·[2Jb··");
  });
});
