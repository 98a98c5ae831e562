import { describe, expect, it } from "vitest";
import { LoadInputError } from "../load-input-error.ts";
import { histogramReport } from "./histogram-report.ts";
import { parseBuckets } from "./parse-buckets.ts";
import { BEGIN_NS, MIXED, storedResult, tallyOf } from "./test-metrics.ts";

const BUCKETS = parseBuckets("[0,1ms,10ms,100ms]", "--type");

describe("histogramReport()", () => {
  it("prints a mixed run as vegeta did, byte by byte", () => {
    expect(histogramReport(tallyOf(MIXED, BUCKETS).metrics())).toBe(`\
Bucket           #   %       Histogram
[0s,     1ms]    0   0.00%   ${""}
[1ms,    10ms]   9   9.00%   ######
[10ms,   100ms]  90  90.00%  ###################################################################
[100ms,  +Inf]   1   1.00%   ${""}
`);
  });

  it("prints a full bucket, and no requests, as vegeta did", () => {
    const slow = storedResult({ latencyNs: 70 * 3600e9, timestampNs: BEGIN_NS });
    expect(histogramReport(tallyOf([slow, slow, slow], BUCKETS).metrics())).toBe(`\
Bucket           #  %        Histogram
[0s,     1ms]    0  0.00%    ${""}
[1ms,    10ms]   0  0.00%    ${""}
[10ms,   100ms]  0  0.00%    ${""}
[100ms,  +Inf]   3  100.00%  ###########################################################################
`);
    expect(histogramReport(tallyOf([], BUCKETS).metrics())).toBe("Bucket    #  %  Histogram\n");
  });
});

describe("parseBuckets()", () => {
  it("adds the bucket from 0 where it is not named", () => {
    expect(parseBuckets("[ 2ms, 4ms]", "--type")).toEqual([0, 2e6, 4e6]);
    expect(parseBuckets("[0]", "--type")).toEqual([0]);
  });

  it.each([
    "",
    "[]",
    "0,1ms",
    "[1ms,1ms]",
    "[2ms,1ms]",
    "[-1ms,1ms]",
    "[1]",
    `[${"1h,".repeat(2000)}2h]`,
  ])("refuses %s", (text) => {
    expect(() => parseBuckets(text, "--type hist")).toThrow(LoadInputError);
    expect(() => parseBuckets(text, "--type hist")).toThrow(
      /^--type hist: expected .*rising durations/u,
    );
  });
});
