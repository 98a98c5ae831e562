import { expect, test } from "vitest";
import { LoadInputError } from "./load-input-error.ts";
import { parseObjectives, withErrorLimit } from "./read-objectives.ts";

test("parseObjectives() reads figures, comparisons and limits in ms, shares and rates a second", () => {
  expect(
    parseObjectives("p99<50ms, errors <= 0.7%,success>=99.9%,p99.9>1.5s,max<250us,rate>=6000/1m"),
  ).toEqual([
    { text: "p99<50ms", figure: "p99", comparison: "<", limit: 50 },
    { text: "errors<=0.7%", figure: "errors", comparison: "<=", limit: 0.007 },
    { text: "success>=99.9%", figure: "success", comparison: ">=", limit: 0.999 },
    { text: "p99.9>1.5s", figure: "p99.9", comparison: ">", limit: 1500 },
    { text: "max<250us", figure: "max", comparison: "<", limit: 0.25 },
    { text: "rate>=6000/1m", figure: "rate", comparison: ">=", limit: 100 },
  ]);
});

test.each([
  {
    text: "",
    message: 'expected objectives like p99<50ms,errors<0.1%, with <, <=, > or >=, found ""',
  },
  { text: "p99<50ms,", message: 'found ""' },
  { text: "p99=50ms", message: 'found "p99=50ms"' },
  { text: "p99", message: 'found "p99"' },
  { text: "p99 50ms", message: 'found "p99 50ms"' },
  {
    text: "p75<50ms",
    message:
      'expected one of min, mean, p50, p90, p95, p99, p99.9, p99.99, max, errors, success, throughput, rate, found "p75"',
  },
  { text: "toString<5ms", message: "found" },
  { text: "p99<50", message: 'expected p99 with a limit like 50ms, found "50"' },
  { text: "p99<50%", message: 'expected p99 with a limit like 50ms, found "50%"' },
  { text: "errors<1", message: 'expected errors with a limit like 0.1%, found "1"' },
  { text: "errors<101%", message: 'expected errors with a limit like 0.1%, found "101%"' },
  { text: "rate>5ms", message: 'expected rate with a limit like 500/s, found "5ms"' },
])("parseObjectives($text) is refused: $message", ({ text, message }) => {
  const read = (): unknown => parseObjectives(text);
  expect(read).toThrow(LoadInputError);
  expect(read).toThrow(message);
  expect(read).toThrow(/^--slo: /);
});

test("parseObjectives() bounds how many there are", () => {
  expect(() => parseObjectives(new Array<string>(101).fill("p99<1s").join(","))).toThrow(
    "--slo: at most 100 objectives, found 101",
  );
});

test("withErrorLimit() allows 0.1 % of errors where nobody says how many", () => {
  const texts = (slo: string): string[] =>
    withErrorLimit(parseObjectives(slo)).map(({ text }) => text);
  expect(texts("p99<50ms")).toEqual(["p99<50ms", "errors<0.1%"]);
  expect(texts("p99<50ms,errors<5%")).toEqual(["p99<50ms", "errors<5%"]);
  expect(texts("success>99%")).toEqual(["success>99%"]);
});
