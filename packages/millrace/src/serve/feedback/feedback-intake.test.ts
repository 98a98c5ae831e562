import { expect, it } from "vitest";
import { checkFeedback } from "../../core/feedback/read-feedback.ts";
import type { JsonValue } from "../../core/json.ts";
import { Metrics } from "../../core/metrics/metrics.ts";
import { PredictionIds } from "../../core/prediction-id.ts";
import { TestClock } from "../../core/test-clock.ts";
import { FeedbackIntake } from "./feedback-intake.ts";
import { FeedbackMetrics } from "./feedback-metrics.ts";
import { TestLog } from "./test-log.ts";

const WINDOW_MS = 60_000;

function setUp() {
  const clock = new TestClock();
  const log = new TestLog();
  const registry = new Metrics();
  const metrics = new FeedbackMetrics(registry);
  const config = { feedbackWindowMs: WINDOW_MS, redact: { email: { kind: "drop" } } } as const;
  const intake = new FeedbackIntake({ log: () => log, config: () => config, clock, metrics });
  const id = new PredictionIds((count) => new Uint8Array(count)).next(clock.wallMs());
  const take = (value: JsonValue, key?: string) =>
    intake.take("iris", checkFeedback(value, clock.wallMs(), ["body"]), key);
  const counted = () =>
    registry
      .snapshot()
      .flatMap(({ series }) => series)
      .map(({ labels, value }) => [...labels, value].join(" "));
  return { clock, log, id, take, counted };
}

it("take() writes a row with everything that is known", async () => {
  const { clock, log, id, take } = setUp();
  clock.advanceMs(5_000);
  const label = { prediction_id: id, label: 7, source: "lab", region: "eu", email: "a@b" };
  const [feedbackId] = await take(label);
  expect(log.rows).toEqual([
    {
      ts: clock.wallMs() * 1000,
      received_ts: clock.wallMs() * 1000,
      feedback_id: feedbackId,
      prediction_id: id,
      unit_hash: null,
      service: "iris",
      kind: "label",
      label: "7",
      event: null,
      value: 7,
      source: "lab",
      attributes: '{"region":"eu"}',
      is_late: false,
      node: "p0-test",
    },
  ]);
});

it("take() hashes the unit and keeps nothing of it", async () => {
  const { log, take } = setUp();
  await take({ entity_id: "ann", ts: "1700000000s", event: "bought", value: 3 });
  expect(log.rows[0]).toMatchObject({
    ts: 1_700_000_000e6,
    prediction_id: null,
    unit_hash: "hash of ann",
    event: "bought",
    value: 3,
    label: null,
  });
});

it("take() gives what is sent again the same id, and something else another one", async () => {
  const { clock, id, take } = setUp();
  const first = await take({ prediction_id: id, label: "a" });
  clock.advanceMs(10);
  expect(await take({ prediction_id: id, label: "a" })).toEqual(first);
  expect(await take([{ prediction_id: id, label: "a" }])).toEqual(first);
  expect(await take({ prediction_id: id, label: "b" })).not.toEqual(first);
});

it("take() names entries by the sender's key, of a list with their number", async () => {
  const { id, take } = setUp();
  const entry = { prediction_id: id, label: "a" };
  expect(await take(entry, "k1")).toEqual(["k1"]);
  expect(await take([entry, entry], "k1")).toEqual(["k1#0", "k1#1"]);
});

it("take() calls late what comes after the window, by the time in the id", async () => {
  const { clock, log, id, take, counted } = setUp();
  clock.advanceMs(WINDOW_MS);
  await take({ prediction_id: id, label: "a" });
  clock.advanceMs(1);
  const unknown = "f47ac10b-58cc-4372-a567-0e02b2c3d479";
  await take([
    { prediction_id: `${id}#3`, event: "e", ts: "1700000000s" },
    { prediction_id: unknown, label: "a" },
  ]);
  expect(log.rows.map((row) => row.is_late)).toEqual([false, true, false]);
  expect(counted()).toEqual(["label accepted 2", "event late 1", "label 60", "event 60.001"]);
});

it("take() refuses when nothing is logged, says what to do, and counts nothing that was not written", async () => {
  const { log, id, take, counted } = setUp();
  log.isBroken = true;
  await expect(take({ prediction_id: id, label: 1 })).rejects.toMatchObject({
    code: "LOG_UNAVAILABLE",
  });
  expect(counted()).toEqual([]);
  const clock = new TestClock();
  const none = new FeedbackIntake({
    log: () => undefined,
    config: () => ({ feedbackWindowMs: 1, redact: {} }),
    clock,
    metrics: new FeedbackMetrics(new Metrics()),
  });
  const feedback = checkFeedback({ prediction_id: id, label: 1 }, clock.wallMs(), ["body"]);
  await expect(none.take("iris", feedback)).rejects.toThrow(
    "Cannot take feedback: predictions are not logged, set log.sink to parquet and state.dir to a folder",
  );
});

it("take() says so when the disk hangs, and leaves no timer behind when it does not", async () => {
  const { clock, id, log, take, counted } = setUp();
  await take({ prediction_id: id, label: 1 });
  expect(clock.timerCount).toBe(0);
  log.hangs = true;
  const waiting = take({ prediction_id: id, label: 2 });
  clock.advanceMs(10_000);
  await expect(waiting).rejects.toThrow("Cannot take feedback: it was not written within 10000 ms");
  expect(counted()).toEqual(["label accepted 1", "label 0"]);
});
