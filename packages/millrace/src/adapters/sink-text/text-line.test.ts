import { expect, test } from "vitest";
import type { LoggedPrediction } from "../../core/predictions/logged-prediction.ts";
import { fp32, testContext } from "../../core/predictions/test-record.ts";
import { predictionOf } from "./test-predictions.ts";
import { FIELD_CHARACTERS_MAX, textLines } from "./text-line.ts";

const ID = "01992f3c-7a5e-7cc1-b6d4-000000000007";
const HEAD = "[2025-11-21 15:46:40,123] [INFO] [0] [millrace] [iris] [0] [/predict]";

test("textLines() writes the fields in the order that Python's logging and those who read it know", () => {
  const record = predictionOf(7, { isOutlier: false, outlierScore: 0.4125 });
  expect(textLines(record, "p0-0001")).toBe(
    `${HEAD} [${ID}] [1.234 ms] [[[5.1,3.5]]] [[0.125,0.75,0.125]] [False] [0.4125]\n`,
  );
});

test("textLines() writes None for what there is not", () => {
  const record = predictionOf(7, { inputs: undefined, outputs: undefined, payload: "off" });
  expect(textLines(record, "library")).toBe(
    `${HEAD} [${ID}] [1.234 ms] [None] [None] [None] [None]\n`,
  );
});

test("textLines() has the number of the process, the label where the prediction is not logged, and the code of a failure", () => {
  const failed = predictionOf(7, { outputs: undefined, errorCode: "MODEL_FAILED" });
  expect(textLines(failed, "p12-0001")).toMatch(
    /^\[[^\]]+\] \[ERROR\] \[12\] .* \[None\] \[None\] \[None\] \[MODEL_FAILED\]\n$/,
  );
  const summary = { labels: ["setosa"], scores: [0.9] };
  expect(textLines(predictionOf(7, { outputs: undefined, summary }), "p0-1")).toContain(
    '] ["setosa"] [None]',
  );
});

test("textLines() names the outputs where several are the prediction", () => {
  const outputs = ["a", "hidden", "b"].map((name) => fp32(name, [1, 1], [0.5]));
  const context = testContext({ predictionOutputs: ["a", "b"] });
  expect(textLines(predictionOf(7, { context, outputs }), "p0-1")).toContain(
    ' [{"a":[0.5],"b":[0.5]}] ',
  );
});

test("textLines() writes a line for each row of a request, and one where its rows cannot be told apart", () => {
  const inputs = [fp32("input", [2, 2], [1, 2, 3, 4])];
  const outputs = [fp32("probabilities", [2, 1], [0.1, 0.2])];
  const ofRows = (members: Partial<LoggedPrediction>) =>
    textLines(predictionOf(7, { rowCount: 2, inputs, ...members }), "p0-1")
      .trimEnd()
      .split("\n")
      .map((line) => line.slice(HEAD.length + 1));
  expect(ofRows({ outputs })).toEqual([
    `[${ID}#0] [1.234 ms] [[[1,2]]] [[0.1]] [None] [None]`,
    `[${ID}#1] [1.234 ms] [[[3,4]]] [[0.2]] [None] [None]`,
  ]);
  const summary = { labels: ["a", "b"], scores: undefined };
  expect(ofRows({ outputs: undefined, summary })).toEqual([
    `[${ID}#0] [1.234 ms] [[[1,2]]] ["a"] [None] [None]`,
    `[${ID}#1] [1.234 ms] [[[3,4]]] ["b"] [None] [None]`,
  ]);
  const whole = [fp32("probabilities", [1], [0.5])];
  expect(ofRows({ outputs: whole })).toEqual([
    `[${ID}] [1.234 ms] [[[1,2],[3,4]]] [[0.5]] [None] [None]`,
  ]);
});

test("textLines() stays one line of bounded length, whatever is in the data", () => {
  const text = `a"]\n\r\u2028\u0085${"x".repeat(10_000)}`;
  const record = predictionOf(7, {
    context: testContext({ endpoint: "/a\nb\u2029" }),
    inputs: [{ name: "x", datatype: "BYTES", shape: [1, 1], data: [text] }],
    outputs: [fp32("probabilities", [1, 100_000], Array(100_000).fill(0))],
  });
  const line = textLines(record, "p0-1");
  expect(line.trimEnd()).not.toMatch(/[\n\r\u0085\u2028\u2029]/);
  expect(line).toContain("[/a\\u000ab\\u2029]");
  expect(line.length).toBeLessThan(2 * FIELD_CHARACTERS_MAX + 300);
  expect(line.match(/…\]/g)).toHaveLength(2);
});
