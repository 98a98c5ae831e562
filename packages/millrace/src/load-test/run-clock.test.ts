import { describe, expect, it } from "vitest";
import { RunClock } from "./run-clock.ts";

describe("RunClock", () => {
  it("now() is far before the measured time until it is known", () => {
    expect(new RunClock().now()).toBeLessThan(-1e12);
  });

  it("now() counts from a moment of process.hrtime, before it and after it", () => {
    for (const offsetMs of [-5000, 5000]) {
      const clock = new RunClock();
      const nowNs = process.hrtime.bigint();
      clock.begin(nowNs + BigInt(offsetMs * 1e6));
      const earliest = -offsetMs;
      const now = clock.now();
      const latest = -offsetMs + Number(process.hrtime.bigint() - nowNs) / 1e6;
      expect(now).toBeGreaterThanOrEqual(earliest);
      expect(now).toBeLessThanOrEqual(latest + 0.1);
    }
  });
});
