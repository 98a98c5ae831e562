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

  it.each([
    ["starts", {}],
    ["response", null],
    ["response", { ...testLoadReport().millrace.response, p99_ms: "x" }],
    ["timeline", {}],
    ["timeline", [{}]],
    ["timeline", Array.from({ length: 3_601 }, () => testLoadReport().millrace.timeline[0])],
    ["window_ms", -1],
    ["environment", []],
    ["name", 3],
    ["targets", [{}]],
    ["problems", [null]],
  ])("refuses a %s that is %j", (member, value) => {
    const report = testLoadReport();
    const text = JSON.stringify({ ...report, millrace: { ...report.millrace, [member]: value } });
    expect(() => readLoadReport(text, "a.json")).toThrow(`"millrace.${member}" is missing, or`);
  });

  it("refuses numbers beyond what a double says", () => {
    const text = jsonReport(testLoadReport()).replaceAll(/"p99_ms":[\d.]+/g, '"p99_ms":1e999');
    expect(() => readLoadReport(text, "a.json")).toThrow('"millrace.response" is missing, or');
  });
});
