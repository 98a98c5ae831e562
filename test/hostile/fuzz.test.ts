import { afterAll, beforeAll, expect, it } from "vitest";
import { FuzzServer } from "./fuzz-server.ts";
import { runFuzz } from "./run-fuzz.ts";

const REQUESTS = 4_000;

let server: FuzzServer;
beforeAll(async () => {
  server = await FuzzServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

it(`${REQUESTS} hostile requests are each answered in the promised form, and good ones in between right`, async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const report = await runFuzz({ server, seed, from: 0, count: REQUESTS });
  expect({ seed, failures: report.failures }).toEqual({ seed, failures: [] });
  expect(report.done).toBe(REQUESTS);
  // It reached the models, and not only the parser.
  expect(report.outcomes.get("200") ?? 0).toBeGreaterThan(REQUESTS / 10);
  expect(report.outcomes.get("400 INVALID_TENSOR") ?? 0).toBeGreaterThan(20);
  expect(report.outcomes.get("grpc 0") ?? 0).toBeGreaterThan(100);
  expect(report.outcomes.get("grpc 3") ?? 0).toBeGreaterThan(20);
});
