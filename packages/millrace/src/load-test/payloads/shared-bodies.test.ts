import { describe, expect, it } from "vitest";
import { SharedBodies } from "./shared-bodies.ts";

describe("SharedBodies", () => {
  it("keeps bodies of any length apart, in memory that threads share", () => {
    const bodies = new SharedBodies(4 * 1024 * 1024);
    const lengths = [0, 1, 1024 * 1024, 3, 2 * 1024 * 1024, 5];
    const kept = lengths.map((length, i) => bodies.keep(new Uint8Array(length).fill(i)));
    kept.forEach((body, i) => {
      expect(body).toHaveLength(lengths[i] ?? 0);
      expect(body?.every((byte) => byte === i)).toBe(true);
      expect(body?.buffer).toBeInstanceOf(SharedArrayBuffer);
    });
  });

  it("keeps none that goes beyond the limit, and still those that do not", () => {
    const bodies = new SharedBodies(10);
    expect(bodies.keep(new Uint8Array(7))).toHaveLength(7);
    expect(bodies.keep(new Uint8Array(4))).toBeUndefined();
    expect(bodies.keep(new Uint8Array(3))).toHaveLength(3);
    expect(bodies.keep(new Uint8Array(1))).toBeUndefined();
  });
});
