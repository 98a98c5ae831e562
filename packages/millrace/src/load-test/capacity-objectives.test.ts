import { expect, it } from "vitest";
import { capacityObjectives, defaultLatency, requestsNeeded } from "./capacity-objectives.ts";
import { LoadInputError } from "./load-input-error.ts";
import { parseObjectives } from "./read-objectives.ts";

const textsOf = (text: string): readonly string[] =>
  capacityObjectives(parseObjectives(text)).map((objective) => objective.text);

it("capacityObjectives() adds errors where nobody names any: what is refused quickly is no answer", () => {
  expect(textsOf("p99<50ms")).toEqual(["p99<50ms", "errors<0.1%"]);
  expect(textsOf("p99<50ms,errors<1%")).toEqual(["p99<50ms", "errors<1%"]);
  expect(textsOf("success>=99%")).toEqual(["success>=99%"]);
  expect(capacityObjectives([]).map(({ text }) => text)).toEqual(["errors<0.1%"]);
});

it.each(["throughput>500/s", "rate<500/s", "p99>50ms", "errors>1%", "success<99%"])(
  "capacityObjectives() refuses %s, which more load does not exceed",
  (text) => {
    expect(() => textsOf(text)).toThrow(LoadInputError);
    expect(() => textsOf(text)).toThrow(`found ${text}`);
  },
);

it("defaultLatency() is ten times that of one client, at least 50 ms, in two digits", () => {
  expect(defaultLatency(1).text).toBe("p99<50ms");
  expect(defaultLatency(12.34)).toMatchObject({ text: "p99<120ms", limit: 120, figure: "p99" });
  expect(defaultLatency(1234).text).toBe("p99<12000ms");
});

it.each([
  ["p99<1ms", 10_000],
  ["p99.9<1ms", 100_000],
  ["p50<1ms,errors<5%", 1_000],
  ["errors<0.01%", 100_000],
  ["success>99.9%", 10_000],
  ["errors<=0%", 1_000],
])("requestsNeeded() of %s is %d", (text, count) => {
  expect(requestsNeeded(parseObjectives(text))).toBe(count);
});
