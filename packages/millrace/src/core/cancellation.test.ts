import { describe, expect, test } from "vitest";
import { Cancellation } from "./cancellation.ts";

describe("Cancellation", () => {
  test("cancel() tells everybody who watches, once, and keeps the first reason", () => {
    const cancellation = new Cancellation();
    const told: string[] = [];
    cancellation.watch(() => told.push("a"));
    cancellation.watch(() => told.push("b"));
    expect([cancellation.isCancelled, cancellation.reason]).toEqual([false, undefined]);
    const reason = new Error("gone");
    cancellation.cancel(reason);
    cancellation.cancel(new Error("again"));
    expect(told).toEqual(["a", "b"]);
    expect([cancellation.isCancelled, cancellation.reason]).toEqual([true, reason]);
    expect(cancellation.watcherCount).toBe(0);
    expect(() => cancellation.throwIfCancelled()).toThrow(reason);
  });

  test("one that has left is not told, from wherever in the list it leaves", () => {
    for (const leaving of [0, 1, 2]) {
      const cancellation = new Cancellation();
      const told: number[] = [];
      const leave = [0, 1, 2].map((name) => cancellation.watch(() => told.push(name)));
      leave[leaving]?.();
      leave[leaving]?.();
      expect(cancellation.watcherCount).toBe(2);
      cancellation.cancel(new Error("gone"));
      expect(told.toSorted((a, b) => a - b)).toEqual([0, 1, 2].filter((name) => name !== leaving));
    }
  });

  test("everybody may leave in any order, and others may come meanwhile", () => {
    const cancellation = new Cancellation();
    const told: string[] = [];
    const watch = (name: string): (() => void) => cancellation.watch(() => told.push(name));
    const [a, b, c] = [watch("a"), watch("b"), watch("c")];
    a();
    const d = watch("d");
    c();
    watch("e");
    b();
    d();
    expect(cancellation.watcherCount).toBe(1);
    cancellation.cancel(new Error("gone"));
    expect(told).toEqual(["e"]);
  });

  test("one that comes while others are told changes nothing for them", () => {
    const cancellation = new Cancellation();
    const told: string[] = [];
    cancellation.watch(() => {
      cancellation.watch(() => told.push("late"));
      leave();
    });
    cancellation.watch(() => told.push("second"));
    const leave = cancellation.watch(() => told.push("third"));
    cancellation.cancel(new Error("gone"));
    expect(told).toEqual(["second"]);
    expect(cancellation.watcherCount).toBe(0);
  });

  test("one that leaves while others are told is not told", () => {
    const cancellation = new Cancellation();
    const told: string[] = [];
    cancellation.watch(() => {
      told.push("first");
      leave();
    });
    const leave = cancellation.watch(() => told.push("second"));
    cancellation.watch(() => told.push("third"));
    cancellation.cancel(new Error("gone"));
    expect(told).toEqual(["first", "third"]);
  });
});
