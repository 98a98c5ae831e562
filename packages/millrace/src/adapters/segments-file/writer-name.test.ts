import { expect, it } from "vitest";
import { newWriterName } from "./writer-name.ts";

const WALL_MS = Date.UTC(2026, 10, 21);

it("newWriterName() gives names that sort by their time", () => {
  const names = [0, 1, 1_000, 86_400_000].map((ms) => newWriterName(0, WALL_MS + ms));
  expect(names.toSorted()).toEqual(names);
  expect(names[0]).toMatch(/^p0-[0-9a-f]{16}$/);
});

it("newWriterName() gives different names within a millisecond", () => {
  const names = new Set(Array.from({ length: 20 }, () => newWriterName(3, WALL_MS)));
  expect(names.size).toBeGreaterThan(18); // drawn from 65,536: one pair may be equal by chance
});
