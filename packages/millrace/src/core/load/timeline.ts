import { HdrHistogram } from "../stats/hdr-histogram.ts";
import type { LoadWindow } from "./load-report.ts";
import type { RequestResult } from "./request-result.ts";
import { codesJson, isSuccess } from "./vegeta-metrics.ts";

/** Windows of a timeline; where a test is longer, every two of them become one. */
const WINDOWS_MAX = 3600;

/** Length of a window at first. */
const WINDOW_MS = 1000;

/**
 * A load test, window by window, in bounded memory: at most some 60 MiB, for 3,600 windows of answers that took 30 s.
 * It ends with the window of the last answer, so after the measured time come windows in which nothing falls due.
 */
export class Timeline {
  readonly #windowsMax: number;
  readonly #windows: Window[] = [];
  #windowMs: number;

  constructor(windowMs = WINDOW_MS, windowsMax = WINDOWS_MAX) {
    this.#windowMs = windowMs;
    this.#windowsMax = windowsMax;
  }

  get windowMs(): number {
    return this.#windowMs;
  }

  /** Windows until now. */
  get length(): number {
    return this.#windows.length;
  }

  add(result: RequestResult): void {
    const { intendedMs, sentMs, doneMs, code } = result;
    this.#at(sentMs).sent += 1;
    this.#at(doneMs).answered += 1;
    // The last one: the two before may have made windows longer.
    const window = this.#at(intendedMs);
    window.due += 1;
    if (isSuccess(code)) window.ok += 1;
    else window.failed += 1;
    window.codes.set(code, (window.codes.get(code) ?? 0) + 1);
    window.responseUs.record((doneMs - intendedMs) * 1000);
    window.lagUs.record((sentMs - intendedMs) * 1000);
  }

  addDropped(dueMs: number): void {
    const window = this.#at(dueMs);
    window.due += 1;
    window.dropped += 1;
  }

  /** All windows, from 0. */
  windows(): LoadWindow[] {
    let underWay = 0;
    return this.#windows.map((window, at) => {
      underWay += window.sent - window.answered;
      return windowJson(window, at * this.#windowMs, underWay);
    });
  }

  /** One of them, as far as its results are there; all 0 where nothing was. @param underWay at its end. */
  window(at: number, underWay: number): LoadWindow {
    return windowJson(this.#windows[at] ?? new Window(), at * this.#windowMs, underWay);
  }

  #at(ms: number): Window {
    let at = Math.max(0, Math.floor(ms / this.#windowMs));
    while (at >= this.#windowsMax) {
      this.#mergePairs();
      at = Math.floor(ms / this.#windowMs);
    }
    while (this.#windows.length <= at) this.#windows.push(new Window());
    return this.#windows[at] as Window;
  }

  #mergePairs(): void {
    const windows = this.#windows;
    const half = Math.ceil(windows.length / 2);
    for (let at = 0; at < half; at++) {
      const window = windows[2 * at] as Window;
      const next = windows[2 * at + 1];
      if (next !== undefined) window.merge(next);
      windows[at] = window;
    }
    windows.length = half;
    this.#windowMs *= 2;
  }
}

/** Two digits: a window's percentiles are read off a plot, and there are many windows. */
class Window {
  due = 0;
  dropped = 0;
  ok = 0;
  failed = 0;
  sent = 0;
  answered = 0;
  readonly codes = new Map<number, number>();
  readonly responseUs = new HdrHistogram(2);
  readonly lagUs = new HdrHistogram(2);

  merge(other: Window): void {
    this.due += other.due;
    this.dropped += other.dropped;
    this.ok += other.ok;
    this.failed += other.failed;
    this.sent += other.sent;
    this.answered += other.answered;
    for (const [code, count] of other.codes)
      this.codes.set(code, (this.codes.get(code) ?? 0) + count);
    this.responseUs.merge(other.responseUs);
    this.lagUs.merge(other.lagUs);
  }
}

function windowJson(window: Window, fromMs: number, underWay: number): LoadWindow {
  const { responseUs, lagUs } = window;
  return {
    from_ms: fromMs,
    due: window.due,
    dropped: window.dropped,
    ok: window.ok,
    failed: window.failed,
    answered: window.answered,
    p50_ms: responseUs.quantile(0.5) / 1000,
    p90_ms: responseUs.quantile(0.9) / 1000,
    p99_ms: responseUs.quantile(0.99) / 1000,
    max_ms: responseUs.max / 1000,
    lag_p99_ms: lagUs.quantile(0.99) / 1000,
    under_way: underWay,
    codes: codesJson(window.codes),
  };
}
