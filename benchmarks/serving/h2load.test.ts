import { describe, expect, it } from "vitest";
import { readH2load } from "./h2load.ts";

const output = (data: number): string => `
finished in 3.01s, 371.50 req/s, 112.50KB/s
requests: 4 total, 4 started, 4 done, 4 succeeded, 0 failed, 0 errored, 0 timeout
traffic: 225.00KB (230398) total, 4.53KB (4638) headers (space savings 96.24%), 96.55KB (${data}) data
`;
const log = "17\t200\t1000\n18\t200\t3000\n19\t200\t2000\n20\t200\t4000\n";

describe("readH2load()", () => {
  it("counts answers, and takes latencies from the log", () => {
    const result = readH2load(output(400), log, { seconds: 2, replyBytes: 100 });
    expect(result).toMatchObject({ answersPerSecond: 2, answers: 4, failed: 0 });
    expect(result.latencyMs).toMatchObject({ n: 4, p50: 2, max: 4 });
  });

  it("counts calls whose data is missing as failed", () => {
    const result = readH2load(output(100), log, { seconds: 2, replyBytes: 100 });
    expect(result).toMatchObject({ answersPerSecond: 0.5, failed: 3 });
  });

  it("throws when the output is not h2load's", () => {
    expect(() => readH2load("nothing", log, { seconds: 2, replyBytes: 100 })).toThrow(
      "Cannot read",
    );
  });
});
