import { expect, it } from "vitest";
import { camelNames, snakeNames } from "./snake-names.ts";

const REPORT = {
  lastExposureMs: 3,
  pValue: Number.NaN,
  latencyMs: { p50: 1, p99: Number.POSITIVE_INFINITY },
  arms: [{ isControl: true, name: "two_words", interval: undefined }],
};

it("snakeNames() renames keys at any depth and leaves values alone", () => {
  expect(snakeNames(REPORT)).toEqual({
    last_exposure_ms: 3,
    p_value: null,
    latency_ms: { p50: 1, p99: null },
    arms: [{ is_control: true, name: "two_words", interval: null }],
  });
});

it("camelNames() gives the report back, without what is no number in JSON", () => {
  expect(camelNames(snakeNames(REPORT))).toEqual({
    lastExposureMs: 3,
    pValue: undefined,
    latencyMs: { p50: 1, p99: undefined },
    arms: [{ isControl: true, name: "two_words", interval: undefined }],
  });
});
