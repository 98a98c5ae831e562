import { expect, it } from "vitest";
import { releaseJson } from "../control/releases/release-json.ts";
import { camelNames } from "./camel-names.ts";
import { EXPERIMENT, SHADOW } from "./test-status.ts";

it("camelNames() gives back what the control role made an answer of", () => {
  const sent = JSON.parse(JSON.stringify(releaseJson(EXPERIMENT))) as never;
  expect(camelNames(sent)).toMatchObject({ analysis: { arms: EXPERIMENT.analysis?.arms } });
  expect(camelNames(JSON.parse(JSON.stringify(releaseJson(SHADOW))) as never)).toEqual(SHADOW);
});

it("camelNames() makes undefined of null and leaves values alone", () => {
  expect(camelNames({ is_active: true, p99_ms: null, by: "two_words" })).toEqual({
    isActive: true,
    p99Ms: undefined,
    by: "two_words",
  });
});
