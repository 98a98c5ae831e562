import { describe, expect, test } from "vitest";
import { TestWorld, type TestRequest } from "./test-world.ts";

/** A failure prints its seed; `MILLRACE_TEST_SEED=7 npx vitest run batcher.property` runs that one alone. */
const CHOSEN = process.env["MILLRACE_TEST_SEED"];
const SEEDS =
  CHOSEN === undefined ? Array.from({ length: 300 }, (_, i) => i + 1) : [Number(CHOSEN)];

const ROWS_MAX = 8;
const END_MS = 400;

/** Random requests, cancels, crashes and shapes over 400 simulated milliseconds, then silence until all is done. */
function chaos(seed: number): TestWorld {
  const world = new TestWorld(
    seed,
    (rows, random) => (0.5 + 0.1 * rows) * (0.7 + 0.6 * random.next()),
    {
      rowsMax: ROWS_MAX,
      delayMs: seed % 3 === 0 ? 2 : 0,
      objectiveMs: seed % 4 === 0 ? 25 : undefined,
      queuedRowsMax: 60,
      queuedBytesMax: 2_000,
    },
    seed % 5 === 0 ? 1_500 : 1e9,
  );
  const { random } = world;
  const executorCount = 1 + random.below(3);
  for (let id = 0; id < executorCount; id++) world.startExecutor(id, random.below(2) === 0 ? 1 : 2);
  for (let i = 0; i < 250; i++) {
    const atMs = random.next() * END_MS;
    world.at(atMs, () => {
      const request = world.send({
        rows: random.below(10) === 0 ? 1 + random.below(3 * ROWS_MAX) : 1 + random.below(3),
        bucket: random.pick(["a", "a", "b", "c"]),
        priority: random.pick([1, 2, 2, 3]),
        deadlineAtMs: world.nowMs + random.pick([3, 20, 100, 1_000]),
        isPoison: random.below(40) === 0,
      });
      if (random.below(12) === 0) {
        world.at(world.nowMs + random.next() * 5, () => world.cancel(request));
      }
    });
  }
  for (let i = random.below(4); i > 0; i--) {
    world.at(random.next() * END_MS, () => world.crash(random.below(executorCount), 5));
  }
  if (seed % 7 === 0) {
    world.at(END_MS * 0.9, () => world.batcher.close());
    world.at(END_MS + 1, () => world.batcher.dropAll());
  }
  world.runUntil(END_MS + 3_000);
  return world;
}

const WORLDS = SEEDS.map((seed) => ({ seed, world: chaos(seed) }));

describe("Batcher under chaos", () => {
  test("answers or drops every request exactly once", () => {
    for (const { seed, world } of WORLDS) {
      const wrong = world.requests.filter((request) => request.outcomes.length !== 1);
      expect(wrong, `seed ${seed}`).toEqual([]);
    }
  });

  test("gives every request its own rows, in order", () => {
    for (const { seed, world } of WORLDS) {
      const answered = answeredOf(world);
      for (const { replyRows, rowValues } of answered) {
        expect(replyRows, `seed ${seed}`).toEqual(rowValues);
      }
      if (seed % 7 !== 0) expect(answered.length, `seed ${seed}`).toBeGreaterThan(20);
    }
  });

  test("keeps batches within rowsMax and of one shape", () => {
    for (const { seed, world } of WORLDS) {
      for (const batch of world.batches) {
        const rows = batch.slices.reduce((sum, slice) => sum + slice.rows, 0);
        expect([batch.rows, rows <= ROWS_MAX], `seed ${seed}`).toEqual([rows, true]);
        const shapes = new Set(batch.slices.map(({ item }) => item.bucket));
        expect([...shapes], `seed ${seed}`).toEqual([batch.bucket]);
      }
    }
  });

  test("fails nobody because of another's error", () => {
    for (const { seed, world } of WORLDS) {
      const failed = world.requests.filter(({ outcomes }) => outcomes[0] === "model_failed");
      expect(
        failed.filter(({ isPoison }) => !isPoison),
        `seed ${seed}`,
      ).toEqual([]);
    }
  });

  test("never lets an executor hold more batches than its depth", () => {
    for (const { seed, world } of WORLDS) expect(world.depthSeen, `seed ${seed}`).toBeLessThan(3);
  });

  test("answers nobody after the deadline and keeps nobody waiting beyond it", () => {
    for (const { seed, world } of WORLDS) {
      const late = world.requests.filter(({ endedAtMs, deadlineAtMs }) => endedAtMs > deadlineAtMs);
      expect(late, `seed ${seed}`).toEqual([]);
      const expired = world.requests.filter(({ outcomes }) => outcomes[0] === "expired");
      const early = expired.filter(({ endedAtMs, deadlineAtMs }) => endedAtMs < deadlineAtMs);
      expect(early, `seed ${seed}`).toEqual([]);
    }
    if (CHOSEN === undefined) expect(WORLDS.some(({ world }) => hasExpired(world))).toBe(true);
  });

  test("counts back to zero", () => {
    for (const { seed, world } of WORLDS) {
      const { batcher, budget } = world;
      const counts = [batcher.waitingRows, batcher.itemCount, batcher.bytes, budget.usedBytes];
      for (const bucket of batcher.buckets) counts.push(bucket.rows, bucket.waiting);
      expect(new Set(counts), `seed ${seed}`).toEqual(new Set([0]));
      expect(batcher.executors.readyInMs(world.nowMs, 0), `seed ${seed}`).toBe(0);
    }
  });

  test("has a reason for everything that was not answered", () => {
    for (const { seed, world } of WORLDS) {
      const { dropCounts } = world.batcher.journal;
      const counted = [...dropCounts.values()].reduce((sum, count) => sum + count, 0);
      expect(counted, `seed ${seed}`).toBe(world.requests.length - answeredOf(world).length);
    }
  });
});

test("the same seed gives the same batches", () => {
  const outline = (world: TestWorld): unknown =>
    world.batches.map(({ leftAtMs, rows, reason, slices }) => [
      leftAtMs,
      rows,
      reason,
      slices.length,
    ]);
  expect(outline(chaos(5))).toEqual(outline(chaos(5)));
});

function hasExpired({ requests }: TestWorld): boolean {
  return requests.some(({ outcomes }) => outcomes[0] === "expired");
}

function answeredOf(world: TestWorld): TestRequest[] {
  return world.requests.filter(({ outcomes }) => outcomes[0] === "answered");
}
