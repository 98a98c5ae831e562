import { getEventListeners } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createMillrace, type Millrace } from "../../packages/millrace/src/library.ts";
import { fixtureModel } from "../fixtures/fixture-model.ts";

const ROW = [1, 2, 3, 4];

let millrace: Millrace;
beforeAll(async () => {
  const source = fixtureModel("slow.onnx");
  millrace = await createMillrace({ models: { slow: { source, placement: "worker" } } });
});
afterAll(() => millrace.close());

test("predict() rejects at once with the reason of a signal, before or while it runs", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const running = millrace.predict("slow", [ROW], { signal });
  controller.abort("not needed");
  await expect(running).rejects.toBe("not needed");
  await expect(millrace.predict("slow", [ROW], { signal })).rejects.toBe("not needed");
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("predict() listens to a signal only as long as it runs", async () => {
  const { signal } = new AbortController();
  const answer = millrace.predict("slow", [ROW], { signal });
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  expect((await answer).model).toBe("slow@1");
  expect(getEventListeners(signal, "abort")).toEqual([]);
});
