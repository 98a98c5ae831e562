import { expect, test } from "vitest";
import { Cancellation } from "../../core/cancellation.ts";
import { allPromises } from "../../core/graph/test-step.ts";
import { DecodeGate } from "./decode-gate.ts";

test("enter() lets placesMax in and the rest in the order they came", async () => {
  const gate = new DecodeGate(2);
  const entered: number[] = [];
  for (let i = 0; i < 5; i++) {
    void gate.enter(new Cancellation()).then(() => entered.push(i));
  }
  await allPromises();
  expect(entered).toEqual([0, 1]);
  gate.leave();
  await allPromises();
  expect(entered).toEqual([0, 1, 2]);
  gate.leave();
  gate.leave();
  await allPromises();
  expect(entered).toEqual([0, 1, 2, 3, 4]);
});

test("enter() gives no place to who has left, and loses none", async () => {
  const gate = new DecodeGate(1);
  await gate.enter(new Cancellation());
  const gone = new Cancellation();
  const left = gate.enter(gone);
  const next = gate.enter(new Cancellation());
  const reason = new Error("gone");
  gone.cancel(reason);
  await expect(left).rejects.toBe(reason);
  gate.leave();
  await next;
  gate.leave();
  await gate.enter(new Cancellation());
});

test("enter() refuses at once when it is cancelled already", async () => {
  const gate = new DecodeGate(1);
  const gone = new Cancellation();
  gone.cancel(new Error("gone"));
  await expect(gate.enter(gone)).rejects.toThrow("gone");
  await gate.enter(new Cancellation()); // the place is still there
});

test("enter() stops watching the cancellation once there is a place", async () => {
  const gate = new DecodeGate(1);
  const cancellation = new Cancellation();
  await gate.enter(cancellation);
  const waits = gate.enter(cancellation);
  expect(cancellation.watcherCount).toBe(1);
  gate.leave();
  await waits;
  expect(cancellation.watcherCount).toBe(0);
});

test("enter() refuses as OVERLOADED when 1,000 wait", async () => {
  const gate = new DecodeGate(1);
  const end = new Cancellation();
  const waiting = Array.from({ length: 1_001 }, () => gate.enter(end));
  await expect(gate.enter(end)).rejects.toMatchObject({
    code: "OVERLOADED",
    reason: "queue",
    retryAfterSeconds: 1,
  });
  end.cancel(new Error("over"));
  const results = await Promise.allSettled(waiting);
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});
