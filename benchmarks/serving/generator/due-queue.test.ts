import { expect, it } from "vitest";
import { DueQueue } from "./due-queue.ts";

it("DueQueue gives back what came first, also after memory was given back", () => {
  const queue = new DueQueue();
  for (let i = 0; i < 10_000; i++) queue.push(i);
  const out = Array.from({ length: 10_000 }, () => queue.shift());
  expect(out).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
  expect(queue.shift()).toBeUndefined();
  queue.push(7);
  expect(queue.peek()).toBe(7);
  expect(queue.length).toBe(1);
});
