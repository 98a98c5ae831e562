import { describe, expect, it } from "vitest";
import { startHttp1Server } from "./clients/test-http1-server.ts";
import { LoadThread } from "./load-thread.ts";
import { RESULT } from "./result-block.ts";
import { testLoadPlan } from "./test-load-plan.ts";
import type { ThreadReport } from "./thread-messages.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

function inMs(delayMs: number): bigint {
  return process.hrtime.bigint() + BigInt(delayMs * 1e6);
}

/** A plan whose starts are as near as possible: as if the thread had been away for a long time. */
function planOf(url: string, rate: number, durationMs: number) {
  const profile = { kind: "constant", rate } as const;
  return testLoadPlan(url, {
    arrivals: { kind: "open", profile, spacing: "constant" },
    durationMs,
  });
}

describe("LoadThread", () => {
  it("run() makes up for starts that are late, and says when they were due", async () => {
    await using server = await startHttp1Server(OK);
    const reports: ThreadReport[] = [];
    const plan = planOf(server.url, 1000, 300);
    const thread = new LoadThread({ plan, thread: 0, threads: 1 }, (report) => {
      reports.push(report);
      thread.taken();
    });
    await thread.open();
    expect(await thread.run(inMs(-250))).toEqual({
      due: 300,
      sent: 300,
      dropped: 0,
      unanswered: 0,
    });
    const blocks = reports.flatMap((report) => (report.kind === "block" ? [report.block] : []));
    expect(blocks.reduce((sum, { count }) => sum + count, 0)).toBe(300);
    const { values } = blocks.find(({ count }) => count > 0)!;
    expect(values[RESULT.intendedMs]).toBe(0);
    expect(values[RESULT.sentMs]).toBeGreaterThanOrEqual(250);
  });

  it("run() counts starts as due that never got their turn", async () => {
    await using server = await startHttp1Server(OK);
    const plan = planOf(server.url, 1000, 300);
    const thread = new LoadThread({ plan, thread: 1, threads: 2 }, () => thread.taken());
    await thread.open();
    expect(await thread.run(inMs(-5000))).toEqual({
      due: 150,
      sent: 0,
      dropped: 0,
      unanswered: 0,
    });
  });

  it("run() reads answers between the starts it makes up for", async () => {
    let answered = 0;
    await using server = await startHttp1Server((socket) => {
      answered++;
      socket.write(OK);
    });
    const plan = { ...planOf(server.url, 10_000, 200), connectionsMax: 100 };
    let underWayMax = 0;
    const thread = new LoadThread({ plan, thread: 0, threads: 1 }, (report) => {
      if (report.kind === "block") {
        underWayMax = Math.max(underWayMax, report.block.thread.underWay);
      }
      thread.taken();
    });
    await thread.open();
    const starts = await thread.run(inMs(-200));
    expect(starts.due).toBe(2000);
    expect(answered).toBe(starts.sent);
    expect(starts.sent).toBeGreaterThan(200); // all at once, 1,900 would have found no connection
    expect(underWayMax).toBeLessThanOrEqual(100);
  });

  it("onLook() fails when nobody takes the results", () => {
    const plan = testLoadPlan("http://127.0.0.1/");
    let blocks = 0;
    const thread = new LoadThread({ plan, thread: 0, threads: 1 }, () => void blocks++);
    for (let i = 0; i < 4096; i++) thread.onLook(i * 100);
    expect(() => thread.onLook(409_600)).toThrow(
      "Cannot keep more results: 4096 blocks of them have not been taken",
    );
    thread.taken();
    thread.onLook(409_600);
    expect(blocks).toBe(4097);
  });

  it("run() is over at once when it was stopped before", async () => {
    await using server = await startHttp1Server(OK);
    const plan = planOf(server.url, 1000, 60_000);
    const thread = new LoadThread({ plan, thread: 0, threads: 1 }, () => undefined);
    thread.stop();
    expect(await thread.run(inMs(1000))).toEqual({ due: 0, sent: 0, dropped: 0, unanswered: 0 });
    expect(server.text()).toBe("");
  });
});
