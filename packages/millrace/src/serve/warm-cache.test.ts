import { expect, test } from "vitest";
import type { JsonValue } from "../core/json.ts";
import type { Logger } from "../ports/logger.ts";
import { warmCache } from "./warm-cache.ts";

function recorder(): { log: Logger; lines: { level: string; fields: object }[] } {
  const lines: { level: string; fields: object }[] = [];
  const at = (level: string) => (fields: object) => void lines.push({ level, fields });
  return {
    log: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") },
    lines,
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("warmCache() predicts each request once, two at a time", async () => {
  const { log, lines } = recorder();
  const seen: JsonValue[] = [];
  let running = 0;
  let most = 0;
  const predict = async (rows: JsonValue): Promise<void> => {
    seen.push(rows);
    most = Math.max(most, ++running);
    await turn();
    running--;
  };
  const requests = Array.from({ length: 9 }, (_, i) => [[i]]);
  const { signal } = new AbortController();
  expect(await warmCache({ service: "iris", requests, predict, signal, log })).toBe(9);
  expect(seen).toEqual(requests);
  expect(most).toBe(2);
  expect(lines).toEqual([
    { level: "info", fields: { service: "iris", predictions: 9, failures: 0 } },
  ]);
});

test("warmCache() goes on after a request that fails, and logs only the first failures", async () => {
  const { log, lines } = recorder();
  const predict = (rows: JsonValue): Promise<void> =>
    rows === 3 ? Promise.resolve() : Promise.reject(new Error("no"));
  const requests = Array.from({ length: 20 }, (_, i) => i);
  const { signal } = new AbortController();
  expect(await warmCache({ service: "iris", requests, predict, signal, log })).toBe(1);
  expect(lines.filter(({ level }) => level === "warn")).toHaveLength(5);
  expect(lines.at(-1)?.fields).toEqual({ service: "iris", predictions: 1, failures: 19 });
});

test("warmCache() begins no request once it is aborted", async () => {
  const { log } = recorder();
  const controller = new AbortController();
  let count = 0;
  const predict = async (): Promise<void> => {
    count++;
    controller.abort();
    await turn();
  };
  await warmCache({
    service: "iris",
    requests: [1, 2, 3, 4],
    predict,
    signal: controller.signal,
    log,
  });
  expect(count).toBe(1);
});
