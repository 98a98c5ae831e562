import { describe, expect, it } from "vitest";
import { LoadInputError } from "../load-input-error.ts";
import { jsonReport } from "./json-report.ts";
import { readLoadReport } from "./read-load-report.ts";
import { tallyOf } from "./test-metrics.ts";
import { testLoadReport } from "./test-load-report.ts";

describe("readLoadReport()", () => {
  it("gives back the report that was written", () => {
    const report = testLoadReport();
    expect(readLoadReport(jsonReport(report), "a.json")).toEqual(report);
  });

  it.each([
    ["hello", "it is no JSON"],
    ["null", "it is no report of millrace load --json"],
    ["[1]", "it is no report of millrace load --json"],
    [jsonReport(tallyOf([]).metrics()), "it is a report of vegeta"],
    ['{"latencies":{},"millrace":{"format":2}}', "its format is 2, this Millrace reads 1"],
    ['{"latencies":{},"millrace":{"format":1}}', '"millrace.starts" is missing'],
  ])("refuses %j", (text, message) => {
    expect(() => readLoadReport(text, "a.json")).toThrow(LoadInputError);
    expect(() => readLoadReport(text, "a.json")).toThrow(`Cannot read a.json: ${message}`);
  });
});
