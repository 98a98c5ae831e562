import { expect, it } from "vitest";
import { readFacts } from "./reply-facts.ts";

it("readFacts() reads each header", () => {
  const headers = new Headers({
    "x-request-id": "r1",
    "x-prediction-id": "p1",
    "x-model": "iris-svc@3",
    "x-model-variant": "treatment",
    "x-degraded": "fallback",
    "server-timing": 'queue;dur=0.25, cdn-cache;desc="a, b", infer;desc="x";dur=1, infer;dur=2',
  });
  expect(readFacts(headers)).toEqual({
    requestId: "r1",
    predictionId: "p1",
    model: "iris-svc",
    version: "3",
    variant: "treatment",
    degraded: "fallback",
    timings: { queue: 0.25, infer: 3 },
  });
});

it("readFacts() gives undefined and no timings when a server sends none of the headers", () => {
  expect(readFacts(new Headers())).toEqual({ timings: {} });
});
