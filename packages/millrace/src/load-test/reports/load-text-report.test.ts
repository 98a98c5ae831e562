import { describe, expect, it } from "vitest";
import { loadTextReport } from "./load-text-report.ts";
import { testLoadReport } from "./test-load-report.ts";
import { textReport } from "./text-report.ts";

const SPREAD = {
  count: 6000,
  mean_ms: 1.939,
  min_ms: 1.246,
  p50_ms: 1.928,
  p90_ms: 2.182,
  p95_ms: 2.279,
  p99_ms: 2.72,
  p999_ms: 9.1,
  p9999_ms: 20.25,
  max_ms: 23.222,
};

const REPORT = testLoadReport({
  facts: {
    response: SPREAD,
    service: { ...SPREAD, max_ms: 1022.5551 },
    first_byte: { ...SPREAD, mean_ms: 0 },
    lag: { ...SPREAD, p50_ms: 0.0021 },
    starts: { due: 6001, sent: 6000, dropped: 1, unanswered: 0 },
    generator: { threads: 2, cpu: 0.4125, memory_mib: 96.4, connections_peak: 12 },
    server: { requests: 6000, p50_ms: 1.5, p99_ms: 2.5, refused: { queue: 3, rate: 4 } },
    valid: false,
    problems: [{ code: "dropped", text: "1 of 6001 starts found no connection\u001b[2J" }],
    objectives: [
      { objective: "p99<50ms", met: true, found: "2.72ms" },
      { objective: "errors<0.1%", met: false, found: "0.4%" },
    ],
  },
});

describe("loadTextReport()", () => {
  it("prints vegeta's report, and behind it what vegeta does not know, in columns", () => {
    expect(loadTextReport(REPORT)).toBe(`${textReport(REPORT)}
Response    [mean, 50, 90, 99, 99.9, 99.99, max]  1.939ms, 1.928ms, 2.182ms, 2.72ms, 9.1ms, 20.25ms, 23.222ms
Service     [mean, 50, 90, 99, 99.9, 99.99, max]  1.939ms, 1.928ms, 2.182ms, 2.72ms, 9.1ms, 20.25ms, 1.023s
First Byte  [mean, 50, 90, 99, 99.9, 99.99, max]  0s, 1.928ms, 2.182ms, 2.72ms, 9.1ms, 20.25ms, 23.222ms
Send Lag    [mean, 50, 90, 99, 99.9, 99.99, max]  1.939ms, 2.1µs, 2.182ms, 2.72ms, 9.1ms, 20.25ms, 23.222ms
Starts      [due, sent, dropped, unanswered]      6001, 6000, 1, 0
Generator   [threads, cpu, memory, connections]   2, 41.25%, 96MiB, 12
Server      [requests, 50, 99]                    6000, 1.5ms, 2.5ms
Refused     [reason:count]                        queue:3  rate:4  ${""}
Validity    [problems]                            INVALID, 1
            dropped                               1 of 6001 starts found no connection·[2J
Objectives  [met, all]                            1, 2
            p99<50ms                              met, found 2.72ms
            errors<0.1%                           MISSED, found 0.4%
`);
  });

  it("leaves out what was not asked for", () => {
    const { millrace } = testLoadReport({ facts: { objectives: [], valid: true, problems: [] } });
    const { server: _, ...facts } = millrace;
    const text = loadTextReport({ ...REPORT, millrace: facts });
    expect(text).toContain("Validity    [problems]                            valid, 0\n");
    expect(text).not.toMatch(/^(?:Server|Refused|Objectives)/mu);
  });
});
