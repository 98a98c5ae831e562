import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { WindowTicker } from "./window-ticker.ts";

beforeEach(() => vi.useFakeTimers({ now: 1_700_000_000_000 }));
afterEach(() => vi.useRealTimers());

it("calls for each second, shortly after it, until it is stopped", () => {
  const seconds: number[] = [];
  const ticker = new WindowTicker(Date.now() + 500, (second) => seconds.push(second));
  vi.advanceTimersByTime(1799);
  expect(seconds).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(seconds).toEqual([0]);
  vi.advanceTimersByTime(2000);
  expect(seconds).toEqual([0, 1, 2]);
  ticker.stop();
  vi.advanceTimersByTime(5000);
  expect(seconds).toEqual([0, 1, 2]);
});

it("leaves out seconds that it could not tell in time", () => {
  const seconds: number[] = [];
  const startedAtMs = Date.now();
  const ticker = new WindowTicker(startedAtMs, (second) => seconds.push(second));
  vi.setSystemTime(startedAtMs + 6000);
  vi.advanceTimersByTime(1300);
  expect(seconds).toEqual([6]);
  vi.advanceTimersByTime(1000);
  expect(seconds).toEqual([6, 7]);
  ticker.stop();
});

it("a listener that stops it is not called again", () => {
  const seconds: number[] = [];
  const ticker: WindowTicker = new WindowTicker(Date.now(), (second) => {
    seconds.push(second);
    ticker.stop();
  });
  vi.advanceTimersByTime(5000);
  expect(seconds).toEqual([0]);
});
