import { expect, test } from "vitest";
import { Cancellation } from "../core/cancellation.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import { RunRequest, type RunRequestOptions, type RunResult } from "./run-request.ts";

function createRequest(options: Partial<RunRequestOptions> = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
  promise.catch(() => undefined); // a test that wants to hear of it looks
  const request = new RunRequest({
    inputs: [],
    outputNames: [],
    isInputOwned: false,
    acceptedMs: 100,
    resolve,
    reject,
    ...options,
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

test("cancelOn() watches until the request is answered or rejected", () => {
  const cancellation = new Cancellation();
  const [one, two] = [createRequest(), createRequest()];
  one.request.cancelOn(cancellation, () => undefined);
  two.request.cancelOn(cancellation, () => undefined);
  expect(cancellation.watcherCount).toBe(2);
  one.request.answer([], 100);
  two.request.reject(new Error("no"));
  expect(cancellation.watcherCount).toBe(0);
});

test.each([
  ["frees the memory of inputs that nobody else needs", true, 0],
  ["leaves inputs alone that are somebody's", false, 65_536],
])("answer() %s", (_, isInputOwned, expected) => {
  const data = new Float32Array(65_536);
  const inputs = [{ ...rows(1), data }];
  createRequest({ inputs, isInputOwned }).request.answer([rows(1)], 100);
  expect(data.length).toBe(expected);
});

test("answer() leaves inputs alone that are the answer", async () => {
  const data = new Float32Array(65_536);
  const inputs = [{ ...rows(1), data }];
  const { request, promise } = createRequest({ inputs, isInputOwned: true });
  request.answer([{ ...rows(1), data: data.subarray(4) }], 100);
  expect((await promise).outputs[0]?.data.length).toBe(65_532);
});
