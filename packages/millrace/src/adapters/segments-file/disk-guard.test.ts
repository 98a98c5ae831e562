import { describe, expect, it } from "vitest";
import { TestClock } from "../../core/test-clock.ts";
import type { DiskLevel } from "../../ports/segments.ts";
import { DiskGuard, type DiskUse } from "./disk-guard.ts";

describe("DiskGuard", () => {
  it("tells a level when more of walBytesMax is used", () => {
    const disk = guardedDisk();
    expect(disk.levelsAt([0.79, 0.8, 0.9, 0.99, 1, 3].map(wal))).toEqual([
      "no_payload",
      "sampled",
      "nothing",
    ]);
  });

  it("tells a level when less than diskFreeMin, half and a quarter of it are free", () => {
    const disk = guardedDisk();
    expect(disk.levelsAt([0.1, 0.099, 0.051, 0.049, 0.026, 0.024].map(free))).toEqual([
      "no_payload",
      "sampled",
      "nothing",
    ]);
  });

  it("goes back only when the disk is better by a margin, so that it does not go to and fro", () => {
    const disk = guardedDisk();
    expect(disk.levelsAt([0.8, 0.79, 0.8, 0.76, 0.8].map(wal))).toEqual(["no_payload"]);
    expect(disk.levelsAt([0.74].map(wal))).toEqual(["all"]);
    expect(disk.levelsAt([0.099, 0.105, 0.109].map(free))).toEqual(["no_payload"]);
    expect(disk.levelsAt([0.111].map(free))).toEqual(["all"]);
  });

  it("goes back by as many levels as the disk allows", () => {
    const disk = guardedDisk();
    expect(disk.levelsAt([1.2, 0.88, 0.1].map(wal))).toEqual(["nothing", "sampled", "all"]);
  });

  it("never degrades by the free share when diskFreeMin is 0", () => {
    expect(guardedDisk({ diskFreeMin: 0 }).levelsAt([free(0)])).toEqual([]);
  });

  it("gives the reason in words", () => {
    const disk = guardedDisk();
    disk.levelsAt([wal(0.93)]);
    expect(disk.reasons.join()).toBe(
      "rows that no sink has yet take 93 % of log.walMax, 100 % of the disk is free (log.diskFree: 10 %)",
    );
  });

  it("keeps the level while the disk cannot be looked at, and looks again", () => {
    const disk = guardedDisk();
    expect(disk.levelsAt([wal(1), undefined, undefined, wal(0)])).toEqual(["nothing", "all"]);
  });

  it("takes at most a twentieth of the time, however long a look takes", () => {
    const disk = guardedDisk({ lookMs: 500 });
    disk.clock.advanceMs(100_000);
    expect(disk.lookCount).toBeLessThan(13);
    expect(disk.lookCount).toBeGreaterThan(7);
  });

  it("stop() ends the looking", () => {
    const disk = guardedDisk();
    disk.guard.stop();
    expect(disk.clock.timerCount).toBe(0);
  });
});

function wal(share: number): DiskUse {
  return { walBytes: share * 1000, freeShare: 1 };
}

function free(freeShare: number): DiskUse {
  return { walBytes: 0, freeShare };
}

function guardedDisk({ diskFreeMin = 0.1, lookMs = 0 } = {}) {
  const clock = new TestClock();
  const levels: DiskLevel[] = [];
  const reasons: string[] = [];
  let use: DiskUse | undefined = wal(0);
  let lookCount = 0;
  const guard = new DiskGuard({
    walBytesMax: 1000,
    diskFreeMin,
    clock,
    measure: () => {
      lookCount++;
      clock.advanceMs(lookMs);
      if (use === undefined) throw new Error("EIO");
      return use;
    },
    onLevel: (level, reason) => {
      levels.push(level);
      reasons.push(reason);
    },
  });
  return {
    guard,
    clock,
    reasons,
    get lookCount() {
      return lookCount;
    },
    /** @returns what is told while the disk is like each of them in turn. */
    levelsAt(uses: readonly (DiskUse | undefined)[]): readonly DiskLevel[] {
      levels.length = 0;
      for (use of uses) clock.advanceMs(1_000);
      return [...levels];
    },
  };
}
