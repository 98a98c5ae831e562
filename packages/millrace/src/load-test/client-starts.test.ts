import { describe, expect, it } from "vitest";
import { ClientStarts } from "./client-starts.ts";

function startsOf(clients: number, thinkMs: number): ClientStarts {
  return new ClientStarts({
    clients,
    thinkMs,
    warmupMs: 100,
    durationMs: 50,
    thread: 1,
    threads: 3,
  });
}

describe("ClientStarts", () => {
  it("take() lets every client begin with the warm-up, and none ask twice at a time", () => {
    const starts = startsOf(2, 10);
    expect([starts.dueMs, starts.take(), starts.take()]).toEqual([-100, 1, 4]);
    expect([starts.dueMs, starts.isOver]).toEqual([Infinity, false]);
  });

  it("ended() makes the next request of a client due when it has thought", () => {
    const starts = startsOf(3, 10);
    starts.take();
    starts.take();
    starts.ended(-90);
    starts.ended(-85);
    expect(Array.from({ length: 3 }, () => [starts.dueMs, starts.take()])).toEqual([
      [-100, 7],
      [-80, 10],
      [-75, 13],
    ]);
  });

  it("isOver when the last client's next request would be due after the end", () => {
    const starts = startsOf(2, 10);
    starts.take();
    starts.take();
    starts.ended(39.9);
    expect([starts.dueMs, starts.isOver]).toEqual([49.9, false]);
    starts.ended(40);
    starts.take();
    expect(starts.isOver).toBe(false);
    starts.ended(45);
    expect([starts.dueMs, starts.isOver]).toEqual([Infinity, true]);
  });
});
