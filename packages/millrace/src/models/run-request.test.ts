import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import type { Tensor } from "../core/tensor/tensor.ts";
import { RunRequest, type RunResult } from "./run-request.ts";

function createRequest() {
  const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
  promise.catch(() => undefined); // a test that wants to hear of it looks
  const request = new RunRequest({
    inputs: [],
    outputNames: [],
    isInputOwned: false,
    acceptedMs: 100,
    resolve,
    reject,
  });
  return { request, promise };
}

function rows(...values: number[]): Tensor {
  return { name: "O", datatype: "FP32", shape: [values.length], data: Float32Array.from(values) };
}

test("answerWithParts() joins the parts by their rows, whatever order they came in", async () => {
  const { request, promise } = createRequest();
  request.addPart(3, [rows(4, 5)]);
  request.addPart(0, [rows(1)]);
  request.addPart(1, [rows(2, 3)]);
  request.answerWithParts(100);
  expect((await promise).outputs).toEqual([rows(1, 2, 3, 4, 5)]);
});

test("answer() tells the times of all runs, and takes the rest for waiting", async () => {
  const { request, promise } = createRequest();
  request.addTimes(2, 10);
  request.addTimes(1, 20);
  request.answer([rows(1)], 150);
  const { queueMs, batchMs, computeMs } = await promise;
  expect([queueMs, batchMs, computeMs]).toEqual([17, 3, 30]);
});

test("cancelOn() listens until the request is answered or rejected", () => {
  const { signal } = new AbortController();
  const [one, two] = [createRequest(), createRequest()];
  one.request.cancelOn(signal, () => undefined);
  two.request.cancelOn(signal, () => undefined);
  expect(getEventListeners(signal, "abort")).toHaveLength(2);
  one.request.answer([], 100);
  two.request.reject(new Error("no"));
  expect(getEventListeners(signal, "abort")).toEqual([]);
});
