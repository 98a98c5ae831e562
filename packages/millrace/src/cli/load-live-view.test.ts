import { describe, expect, it } from "vitest";
import type { LoadWindow } from "../core/load/load-report.ts";
import type { LoadTotals } from "../core/load/load-tally.ts";
import { TestClock } from "../core/test-clock.ts";
import { LoadLiveView } from "./load-live-view.ts";

const STYLE = { width: 80, tableWidth: 80, isUnicode: true, isColored: false };

function testView({ isTTY = true, columns = 80, rows = 24, isColored = false } = {}) {
  const clock = new TestClock();
  const written: string[] = [];
  const stderr = {
    write: (text: string) => written.push(text),
    ...(isTTY && { isTTY, columns, rows }),
  };
  const view = new LoadLiveView(stderr, { ...STYLE, isColored }, clock);
  /** What is seen of the last picture. */
  const seen = (): string[] =>
    (written.at(-1) ?? "")
      // oxlint-disable-next-line no-control-regex -- what moves the cursor
      .replaceAll(/\u001b\[\d*[AJK]|\r/g, "")
      .trimEnd()
      .split("\n");
  return { clock, written, stderr, view, seen };
}

function testWindow(at: number, p99Ms: number | undefined): LoadWindow {
  return {
    from_ms: at * 1000,
    due: 500,
    dropped: 0,
    ok: p99Ms === undefined ? 0 : 500,
    failed: 0,
    answered: 500,
    p50_ms: 1.2,
    p90_ms: 2,
    p99_ms: p99Ms ?? 0,
    max_ms: 12.3,
    lag_p99_ms: 0.1,
    under_way: 3,
    codes: {},
  };
}

function testTotals(seconds: number, more: Partial<LoadTotals> = {}): LoadTotals {
  const due = 500 * seconds;
  return {
    due,
    sent: due,
    ok: due - 2,
    failed: 0,
    dropped: 0,
    underWay: 2,
    codes: { "200": due - 2 },
    p50Ms: 1.2,
    p99Ms: 4.8,
    maxMs: 12.3,
    ...more,
  };
}

describe("LoadLiveView", () => {
  it("shows each phase, and what is left of it", () => {
    const { clock, view, seen, written } = testView();
    view.begin({ title: "iris: 500/s, constant", durationMs: 10_000 });
    expect(seen()).toEqual(["iris: 500/s, constant", "connecting"]);
    view.measureFrom(clock.wallMs() + 3000);
    clock.advanceMs(250);
    expect(seen()[1]).toBe("warming up, 3 s left");
    clock.advanceMs(5250);
    expect(seen()[1]).toBe(`${"█".repeat(8)}${"░".repeat(22)} 25 %, 8 s left`);
    clock.advanceMs(7500);
    expect(seen()[1]).toBe("waiting for 0 answers");
    view.end();
    expect(written.at(-1)).toBe("\r\u001b[2A\u001b[J");
    expect(clock.timerCount).toBe(0);
  });

  it("add() shows the last second, the p99 of the last minute and the counts so far", () => {
    const { clock, view, seen } = testView();
    view.begin({ title: "iris", durationMs: 60_000 });
    view.measureFrom(clock.wallMs());
    clock.advanceMs(1300);
    view.add(testWindow(0, 2.4), testTotals(1));
    clock.advanceMs(1000);
    view.add(
      testWindow(1, 4.8),
      testTotals(2, { sent: 900, dropped: 100, codes: { "0": 1, "503": 12, "200": 885 } }),
    );
    clock.advanceMs(250);
    expect(seen().slice(2)).toEqual([
      "rate      asked 500/s, sent 400/s, answered 500/s",
      "response  p50 1.2 ms, p99 4.8 ms, max 12.3 ms",
      "p99       ▅█  2.4 ms to 4.8 ms",
      "codes     200 885, 503 12, no answer 1",
      "under way 2, dropped 100",
    ]);
    view.end();
  });

  it("add() says that nothing was answered in a second, and leaves a gap in the picture", () => {
    const { clock, view, seen } = testView();
    view.begin({ title: "iris", durationMs: 60_000 });
    view.measureFrom(clock.wallMs());
    for (const [at, p99Ms] of [4.8, undefined, 4.8, undefined].entries()) {
      clock.advanceMs(1000);
      view.add(testWindow(at, p99Ms), testTotals(at + 1));
    }
    clock.advanceMs(250);
    expect(seen()[3]).toBe("response  no answer in the last second");
    expect(seen()[4]).toBe("p99       █ █   4.8 ms to 4.8 ms");
    view.end();
  });

  it("add() keeps the last second while the last answers are awaited", () => {
    const { clock, view, seen } = testView();
    view.begin({ title: "iris", durationMs: 2000 });
    view.measureFrom(clock.wallMs());
    clock.advanceMs(1300);
    view.add(testWindow(0, 4.8), testTotals(1));
    clock.advanceMs(2000);
    view.add(testWindow(3, undefined), testTotals(1, { underWay: 7 }));
    clock.advanceMs(250);
    expect(seen().slice(1, 4)).toEqual([
      "waiting for 7 answers",
      "rate      asked 500/s, sent 500/s, answered 498/s",
      "response  p50 1.2 ms, p99 4.8 ms, max 12.3 ms",
    ]);
    view.end();
  });

  it("writes at most four pictures a second, however often it is told", () => {
    const { clock, view, written } = testView();
    view.begin({ title: "iris", durationMs: 60_000 });
    view.measureFrom(clock.wallMs());
    for (let at = 1; at <= 1000; at++) {
      clock.advanceMs(1);
      view.add(testWindow(at, at), testTotals(at));
    }
    expect(written).toHaveLength(5);
    view.end();
  });

  it.each([2, 8, 20, 40, 61, 200])(
    "no line is as wide as a terminal of %d columns, also painted",
    (columns) => {
      const { clock, view, written } = testView({ columns, isColored: true });
      view.begin({ title: `iris \u001b[2J ${"x".repeat(300)}`, durationMs: 60_000 });
      view.measureFrom(clock.wallMs());
      for (let at = 0; at < 80; at++) {
        clock.advanceMs(1000);
        view.add(
          testWindow(at, at),
          testTotals(at + 1, { dropped: 1e9, codes: { "0": 1e9, "429": 1e9 } }),
        );
      }
      clock.advanceMs(250);
      view.end();
      const text = written.join("");
      expect(text).not.toContain("\u001b[2J");
      // oxlint-disable-next-line no-control-regex -- colors and movements are not seen
      const lines = text.replaceAll(/\u001b\[\d*[A-Zm]|\r/g, "").split("\n");
      expect(Math.max(...lines.map((line) => line.length))).toBe(columns - 1);
      // Each color ends on the line where it began.
      for (const line of text.split("\n")) {
        expect(line.split("\u001b[31m").length + line.split("\u001b[32m").length - 1).toBe(
          line.split("\u001b[39m").length,
        );
      }
    },
  );

  it("takes a terminal of 0 columns and lines for one that does not know its size", () => {
    const { clock, view, seen } = testView({ columns: 0, rows: 0 });
    view.begin({ title: "iris", durationMs: 60_000 });
    view.measureFrom(clock.wallMs());
    clock.advanceMs(1000);
    view.add(testWindow(0, 4.8), testTotals(1));
    clock.advanceMs(250);
    expect(seen()).toHaveLength(6);
    expect(seen()[2]).toBe("rate      asked 500/s, sent 500/s, answered 498/s");
    view.end();
  });

  it("shows no more lines than a low terminal has", () => {
    const { clock, view, seen } = testView({ rows: 5 });
    view.begin({ title: "iris", durationMs: 60_000 });
    view.measureFrom(clock.wallMs());
    clock.advanceMs(1000);
    view.add(testWindow(0, 4.8), testTotals(1));
    clock.advanceMs(250);
    expect(seen()).toHaveLength(3);
    view.end();
  });

  it("print() writes a line above, and the view goes on below", () => {
    const { clock, view, written } = testView();
    view.begin({ title: "double 500/s", durationMs: 60_000 });
    view.print("double 500/s: held");
    view.begin({ title: "double 1,000/s", durationMs: 60_000 });
    clock.advanceMs(250);
    expect(written.slice(1)).toEqual([
      "\r\u001b[2A\u001b[J",
      "double 500/s: held\n",
      "\rdouble 1,000/s\u001b[K\nconnecting\u001b[K\n\u001b[J",
    ]);
    view.end();
  });

  it("writes a line every ten seconds where errors do not go to a terminal", () => {
    const { clock, view, written } = testView({ isTTY: false });
    view.begin({ title: "iris", durationMs: 25_000 });
    view.measureFrom(clock.wallMs());
    for (let at = 0; at < 25; at++) {
      clock.advanceMs(at === 0 ? 1300 : 1000);
      view.add(testWindow(at, 4.8), testTotals(at + 1));
    }
    view.end();
    expect(written).toEqual([
      "10 s of 25 s: 500/s sent, 500/s answered; so far p50 1.2 ms, p99 4.8 ms, max 12.3 ms, 0 failed, 0 dropped; 2 under way\n",
      "20 s of 25 s: 500/s sent, 500/s answered; so far p50 1.2 ms, p99 4.8 ms, max 12.3 ms, 0 failed, 0 dropped; 2 under way\n",
    ]);
    expect(clock.timerCount).toBe(0);
  });
});
