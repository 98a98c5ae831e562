import { describe, expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import type { LoadWindow } from "./load-report.ts";
import type { RequestResult } from "./request-result.ts";
import { Timeline } from "./timeline.ts";

function result(
  overrides: Partial<RequestResult> & { readonly intendedMs: number },
): RequestResult {
  const sentMs = overrides.sentMs ?? overrides.intendedMs;
  return {
    seq: 0,
    sentMs,
    firstByteMs: Number.NaN,
    doneMs: sentMs + 10,
    code: 200,
    bytesOut: 0,
    bytesIn: 0,
    error: "",
    ...overrides,
  };
}

function sumsOf(windows: readonly LoadWindow[]) {
  const sum = (name: "due" | "dropped" | "ok" | "failed" | "answered") =>
    windows.reduce((total, window) => total + window[name], 0);
  return {
    due: sum("due"),
    dropped: sum("dropped"),
    ok: sum("ok"),
    failed: sum("failed"),
    answered: sum("answered"),
  };
}

describe("Timeline", () => {
  it("windows() counts by the time a request was due, answers by the time they came", () => {
    const timeline = new Timeline();
    timeline.add(result({ intendedMs: 900, sentMs: 901, doneMs: 2100 }));
    timeline.add(result({ intendedMs: 1000, doneMs: 1020, code: 503 }));
    timeline.addDropped(1500);
    const [first, second, third] = timeline.windows();
    expect(timeline.length).toBe(3);
    expect(first).toMatchObject({
      from_ms: 0,
      due: 1,
      ok: 1,
      failed: 0,
      answered: 0,
      under_way: 1,
      max_ms: 1200,
    });
    expect(first?.p99_ms).toBe(1200);
    expect(first?.lag_p99_ms).toBe(1);
    expect(second).toMatchObject({
      from_ms: 1000,
      due: 2,
      dropped: 1,
      ok: 0,
      failed: 1,
      answered: 1,
      under_way: 1,
    });
    expect(second?.codes).toEqual({ 503: 1 });
    expect(third).toMatchObject({
      from_ms: 2000,
      due: 0,
      answered: 1,
      under_way: 0,
      p99_ms: 0,
      codes: {},
    });
  });

  it("windows become longer where a test is, and nothing is lost", () => {
    const timeline = new Timeline(1000, 8);
    for (let second = 0; second < 50; second++) {
      const intendedMs = second * 1000;
      timeline.add(
        result({ intendedMs, sentMs: intendedMs + second, code: second % 2 === 0 ? 200 : 0 }),
      );
      timeline.addDropped(second * 1000 + 500);
      expect(timeline.length).toBeLessThanOrEqual(8);
    }
    const windows = timeline.windows();
    expect(timeline.windowMs).toBe(8000);
    expect(windows.map((window) => window.from_ms)).toEqual([
      0, 8000, 16_000, 24_000, 32_000, 40_000, 48_000,
    ]);
    expect(windows[0]).toMatchObject({
      due: 16,
      dropped: 8,
      ok: 4,
      failed: 4,
      codes: { 0: 4, 200: 4 },
    });
    expect(windows.map((window) => window.lag_p99_ms)).toEqual([7, 15, 23, 31, 39, 47, 49]);
    expect(windows[6]?.max_ms).toBe(59);
    expect(sumsOf(windows)).toEqual({ due: 100, dropped: 50, ok: 25, failed: 25, answered: 50 });
  });

  it("one result far beyond merges as often as it takes", () => {
    const timeline = new Timeline(1000, 8);
    timeline.add(result({ intendedMs: 0, doneMs: 1_000_000 }));
    expect(timeline.windowMs).toBe(128_000);
    expect(timeline.windows().at(-1)).toMatchObject({
      from_ms: 896_000,
      answered: 1,
      under_way: 0,
    });
  });

  it("windows() are the same in whatever order results come, also across merges", () => {
    const seed = 41;
    const random = new TestRandom(seed);
    const results = Array.from({ length: 3000 }, () => {
      const intendedMs = random.next() * 40_000;
      const sentMs = intendedMs + random.next() * 20;
      return result({
        intendedMs,
        sentMs,
        doneMs: sentMs + random.next() ** 4 * 9000,
        code: random.pick([0, 200, 503]),
      });
    });
    const inOrder = new Timeline(1000, 16);
    for (const each of results) inOrder.add(each);
    const byEnd = new Timeline(1000, 16);
    for (const each of results.toSorted((a, b) => b.doneMs - a.doneMs)) byEnd.add(each);
    expect(byEnd.windows(), `seed ${seed}`).toEqual(inOrder.windows());
    expect(inOrder.windows().at(-1)?.under_way).toBe(0);
    expect(sumsOf(inOrder.windows())).toMatchObject({ due: 3000, answered: 3000, dropped: 0 });
  });

  it("window() of a time that has nothing yet is empty", () => {
    expect(new Timeline().window(3, 2)).toMatchObject({
      from_ms: 3000,
      due: 0,
      under_way: 2,
      max_ms: 0,
    });
  });
});
