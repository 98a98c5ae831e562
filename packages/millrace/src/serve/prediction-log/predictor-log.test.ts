import { expect, it } from "vitest";
import type { ServiceConfig } from "../../config/config.ts";
import type { Predictor } from "../../models/predictor.ts";
import { openExperiment } from "../experiments/test-experiment.ts";
import { PredictorLog, type ContextKey } from "./predictor-log.ts";

const predictor = {
  modelName: "iris",
  version: 2,
  digest: "d",
  inputs: [{ name: "x", datatype: "FP32", shape: [-1, 2] }],
  predictionNames: ["p"],
  labels: ["a", "b"],
  score: 1,
  inputConfig: () => ({ names: ["a", "b"] }),
} as unknown as Predictor;

function logOf(thresholds?: Record<string, number>): PredictorLog {
  const parameters = { thresholds, thresholdDefault: 0.7 };
  return new PredictorLog({
    service: { name: "s", parameters } as unknown as ServiceConfig,
    predictor,
    privacy: { fields: undefined, redact: {} },
    policy: "",
  });
}

const { experiment } = openExperiment();
const { experiment: later } = openExperiment({}, 2);
const ASKER = { unit: "u", predictionId: "p" };

const KEY: ContextKey = {
  endpoint: "/predict",
  role: "primary",
  rule: undefined,
  arm: undefined,
  shadow: undefined,
  overrideVersion: 0,
  answeredBy: predictor,
};

it("contextOf() gives the same object for the same key, and another one for each other key", () => {
  const log = logOf();
  const context = log.contextOf(KEY);
  expect(context).toMatchObject({ service: "s", model: "iris", version: "2", scoreIndex: 1 });
  const other = { ...predictor, predictionNames: ["p"], labels: ["z"] } as unknown as Predictor;
  const keys: ContextKey[] = [
    { ...KEY, endpoint: "/other" },
    { ...KEY, role: "cache" },
    { ...KEY, rule: "r" },
    { ...KEY, overrideVersion: 1 },
    { ...KEY, answeredBy: other },
    { ...KEY, shadow: "rf" },
    { ...KEY, arm: experiment.chooseFor({ ...ASKER, variant: "treatment" }) },
    { ...KEY, arm: experiment.chooseFor({ ...ASKER, variant: "control" }) },
    { ...KEY, arm: later.chooseFor({ ...ASKER, variant: "control" }) },
  ];
  const contexts = [KEY, ...keys].map((key) => log.contextOf(key));
  expect(new Set(contexts).size).toBe(10);
  expect(contexts[0]).toBe(context);
  expect(contexts[5]).toMatchObject({ model: "iris", labels: ["z"] });
  expect(contexts[6]).toMatchObject({ shadow: "rf" });
  expect(contexts[7]).toMatchObject({ experiment: "rf", variant: "treatment", phase: 1 });
  expect(contexts[9]).toMatchObject({ experiment: "rf", variant: "control", phase: 2 });
  expect([KEY, ...keys].map((key) => log.contextOf(key))).toEqual(contexts);
});

it("contextOf() forgets contexts when there are more than 64", () => {
  const log = logOf();
  const first = log.contextOf(KEY);
  for (let version = 1; version <= 64; version++)
    log.contextOf({ ...KEY, overrideVersion: version });
  expect(log.contextOf(KEY)).not.toBe(first);
  expect(log.contextOf(KEY)).toEqual(first);
});

it("contextOf() has the threshold of a service that has one", () => {
  expect(logOf().contextOf(KEY).threshold).toBeUndefined();
  expect(logOf({}).contextOf(KEY).threshold).toBe(0.7);
  expect(logOf({ branch: 0.5 }).contextOf(KEY).threshold).toBeUndefined();
});
