import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { NativeCalls } from "./native-calls.ts";

test("begin() lets work start until the process ends", () => {
  const process = new NativeCalls();
  const thread = new NativeCalls(process.memory);
  expect(thread.begin()).toBe(true);
  thread.end();
  process.endAll(0);
  expect(thread.begin()).toBe(false);
});

test("endAll() returns at once when no work runs", () => {
  const startMs = performance.now();
  new NativeCalls().endAll(60_000);
  expect(performance.now() - startMs).toBeLessThan(10_000);
});

test("endAll() gives up after its time when work never ends", () => {
  const calls = new NativeCalls();
  calls.begin();
  const startMs = performance.now();
  calls.endAll(20);
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(20);
});

test("endAll() returns when the thread ends its last work", async () => {
  const calls = new NativeCalls();
  calls.begin();
  calls.begin();
  const thread = new Worker(
    `const { workerData, parentPort } = require("node:worker_threads");
     import(workerData.module).then(({ NativeCalls }) => {
       const calls = new NativeCalls(workerData.memory);
       parentPort.postMessage("up");
       while (calls.begin()) calls.end(); // until the other side waits
       calls.end();
       calls.end();
     });`,
    {
      eval: true,
      execArgv: [],
      workerData: {
        module: new URL("native-calls.ts", import.meta.url).href,
        memory: calls.memory,
      },
    },
  );
  await new Promise((resolve) => thread.once("message", resolve));
  const startMs = performance.now();
  calls.endAll(60_000);
  expect(performance.now() - startMs).toBeLessThan(10_000);
  await thread.terminate();
});
