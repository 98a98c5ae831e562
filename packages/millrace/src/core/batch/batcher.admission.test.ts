import { describe, expect, test } from "vitest";
import { TestWorld } from "./test-world.ts";

const runMs = (rows: number): number => 8 + rows;

/** One executor, a scheduler that knows its times, and one request that runs from 0 to 9. */
function busyWorld(options: ConstructorParameters<typeof TestWorld>[2] = {}): TestWorld {
  const world = new TestWorld(1, runMs, { rowsMax: 4, ...options });
  world.teach(1, 8);
  world.startExecutor(0);
  world.send();
  world.runUntil(0);
  return world;
}

describe("Batcher.arrive() refuses", () => {
  test("who is predicted to use more than 0.95 of its time", () => {
    const world = busyWorld();
    // 9 until the executor is free and 9 for the run: 18 is 0.95 of 18.95.
    expect(world.send({ deadlineAtMs: 18.9 }).outcomes).toEqual(["predicted_deadline"]);
    expect(world.send({ deadlineAtMs: 19 }).outcomes).toEqual([]);
  });

  test("who leaves less time than a run takes, and says so", () => {
    const world = busyWorld();
    expect(world.send({ deadlineAtMs: 8.9 }).outcomes).toEqual(["deadline_too_short"]);
    expect(world.send({ deadlineAtMs: 9.1 }).outcomes).toEqual(["predicted_deadline"]);
    // An objective is the server's own, and no fault of the client.
    const strict = busyWorld({ objectiveMs: 8 });
    expect(strict.send({ deadlineAtMs: 100 }).outcomes).toEqual(["predicted_deadline"]);
  });

  test("who is predicted to spend more than 0.8 of its time in the queue", () => {
    const world = busyWorld({ rowsMax: 1 });
    for (let i = 0; i < 9; i++) world.send();
    // 90 until it leaves: 0.8 of 112.5, and 99 until it is answered: 0.95 of 104.2.
    expect(world.send({ deadlineAtMs: 112 }).outcomes).toEqual(["predicted_deadline"]);
    expect(world.send({ deadlineAtMs: 113 }).outcomes).toEqual([]);
  });

  test("who would wait for a full batch of its class, whoever else fills the next one", () => {
    const world = busyWorld();
    for (let i = 0; i < 4; i++) world.send({ priority: 1 });
    for (let i = 0; i < 3; i++) world.send({ priority: 3 });
    // 9 until the executor is free, 12 for the batch ahead and 9 for the run: 30 is 0.95 of 31.6.
    expect(world.send({ priority: 1, deadlineAtMs: 31.5 }).outcomes).toEqual([
      "predicted_deadline",
    ]);
    expect(world.send({ priority: 1, deadlineAtMs: 32 }).outcomes).toEqual([]);
  });

  test("who would be late because of the time on the way to an executor and back", () => {
    const world = busyWorld();
    world.transportMs = 3;
    for (let i = 1; i <= 100; i++) world.at(20 * i, () => world.send());
    world.runUntil(2_050);
    world.send();
    world.runUntil(2_050);
    // Twice 9 for the runs and 3 on the way: 24 is 0.95 of 25.3.
    expect(world.send({ deadlineAtMs: 2_050 + 25.2 }).outcomes).toEqual(["predicted_deadline"]);
    expect(world.send({ deadlineAtMs: 2_050 + 25.3 }).outcomes).toEqual([]);
  });

  test("who is predicted to miss the objective, however late its deadline", () => {
    const world = busyWorld({ objectiveMs: 18.9 });
    expect(world.send({ deadlineAtMs: 500 }).outcomes).toEqual(["predicted_deadline"]);
    expect(busyWorld({ objectiveMs: 19 }).send({ deadlineAtMs: 500 }).outcomes).toEqual([]);
  });

  test("who is predicted to miss the deadline, however late the objective", () => {
    const world = busyWorld({ objectiveMs: 500 });
    expect(world.send({ deadlineAtMs: 18.9 }).outcomes).toEqual(["predicted_deadline"]);
  });

  test("who has spent its time before it arrived", () => {
    const world = busyWorld({ objectiveMs: 40 });
    expect(world.send({ receivedMs: -10 }).outcomes).toEqual([]);
    expect(world.send({ receivedMs: -25 }).outcomes).toEqual(["predicted_deadline"]);
  });

  test("who comes when the queue is full", () => {
    const world = busyWorld({ queuedRowsMax: 5 });
    expect(world.send({ rows: 3 }).outcomes).toEqual([]);
    expect(world.send({ rows: 3 }).outcomes).toEqual(["queue_rows"]);
    expect(world.send({ rows: 2 }).outcomes).toEqual([]);
    expect(world.send({ rows: 1 }).outcomes).toEqual(["queue_rows"]);
  });

  test("who does not fit into the memory of the model, counting what runs", () => {
    const world = busyWorld({ queuedBytesMax: 100 });
    expect(world.send({ bytes: 50 }).outcomes).toEqual([]);
    expect(world.send({ bytes: 35 }).outcomes).toEqual(["queue_bytes"]);
    expect(world.send({ bytes: 34 }).outcomes).toEqual([]);
  });

  test("who does not fit into the memory of the process, also when this model has nothing to do", () => {
    const world = new TestWorld(1, runMs, {}, 100);
    world.startExecutor(0);
    world.budget.take(90);
    expect(world.send({ bytes: 11 }).outcomes).toEqual(["memory"]);
    expect([world.batcher.itemCount, world.budget.usedBytes]).toEqual([0, 90]);
    expect(world.send({ bytes: 10 }).outcomes).toEqual([]);
  });

  test("who comes after its deadline", () => {
    const world = busyWorld();
    world.runUntil(50);
    expect(world.send({ deadlineAtMs: 50 }).outcomes).toEqual(["expired"]);
  });

  test("everybody after close(), and serves who was there", () => {
    const world = busyWorld();
    const before = world.send();
    world.batcher.close();
    expect(world.send().outcomes).toEqual(["shutdown"]);
    world.runUntil(100);
    expect(before.outcomes).toEqual(["answered"]);
  });

  test("everybody when no executor is up or expected", () => {
    const world = new TestWorld(1, runMs);
    expect(world.send().outcomes).toEqual(["executor_lost"]);
  });

  test("who cannot wait until an executor is back", () => {
    const world = new TestWorld(1, runMs, { rowsMax: 4 });
    world.teach(1, 8);
    world.startExecutor(0);
    world.crash(0, 100);
    expect(world.send({ deadlineAtMs: 114 }).outcomes).toEqual(["executor_lost"]);
    const patient = world.send({ deadlineAtMs: 130 });
    world.runUntil(130);
    expect(patient.outcomes).toEqual(["answered"]);
    expect(patient.endedAtMs).toBe(109);
  });

  test("with a count by reason, and nothing else changed", () => {
    const world = busyWorld({ queuedRowsMax: 2 });
    world.send({ rows: 3 });
    world.send({ rows: 3 });
    const { batcher, budget } = world;
    expect(batcher.journal.dropCounts.get("queue_rows")).toBe(2);
    expect([batcher.waitingRows, batcher.itemCount, batcher.bytes, budget.usedBytes]).toEqual([
      0, 1, 16, 16,
    ]);
  });
});

describe("Batcher.arrive() takes", () => {
  test("a lone request, however late or large it is predicted to be", () => {
    const world = new TestWorld(1, runMs, { rowsMax: 4, queuedRowsMax: 2, queuedBytesMax: 10 }, 10);
    world.teach(100, 800);
    world.startExecutor(0);
    const request = world.send({ rows: 4, deadlineAtMs: 20 });
    world.runUntil(100);
    expect(request.outcomes).toEqual(["answered"]);
    // And so the scheduler learns that it was wrong.
    for (let i = 1; i <= 200; i++) world.at(100 * i, () => world.send({ rows: 1 + (i % 4) }));
    world.runUntil(30_000);
    expect(world.batcher.buckets.find("a")?.model.expectMs(4)).toBeLessThan(20);
  });

  test("who shares the batch of those that wait already", () => {
    const world = busyWorld();
    for (let i = 0; i < 3; i++) world.send();
    // 9 until they all leave together, and 12 for the run: 21 is 0.95 of 22.1.
    expect(world.send({ deadlineAtMs: 22 }).outcomes).toEqual(["predicted_deadline"]);
    expect(world.send({ deadlineAtMs: 22.2 }).outcomes).toEqual([]);
  });

  test("who has lost more time on its way here than in the queue to come", () => {
    const world = busyWorld({ rowsMax: 1 });
    for (let i = 0; i < 9; i++) world.send();
    // 90 in the queue is 0.86 of the time left, and 0.55 of the time since it was received.
    expect(world.send({ receivedMs: -60, deadlineAtMs: 105 }).outcomes).toEqual([]);
  });

  test("a lone request beyond the limits of the queue also while the executor is away", () => {
    const world = new TestWorld(1, runMs, { queuedRowsMax: 2, queuedBytesMax: 10 });
    world.startExecutor(0);
    world.crash(0, 20);
    const request = world.send({ rows: 3 });
    world.runUntil(100);
    expect(request.outcomes).toEqual(["answered"]);
  });

  test("an urgent class that overtakes those who wait", () => {
    const world = busyWorld({ rowsMax: 1 });
    for (let i = 0; i < 20; i++) world.send({ priority: 3 });
    expect(world.send({ priority: 2, deadlineAtMs: 60 }).outcomes).toEqual([]);
    expect(world.send({ priority: 3, deadlineAtMs: 60 }).outcomes).toEqual(["predicted_deadline"]);
    expect(world.send({ priority: 1, deadlineAtMs: 25 }).outcomes).toEqual([]);
  });

  test("who two executors can serve in time, where one could not", () => {
    const load = (world: TestWorld): readonly string[] => {
      for (let i = 0; i < 10; i++) world.send();
      return world.send({ deadlineAtMs: world.nowMs + 90 }).outcomes;
    };
    expect(load(busyWorld({ rowsMax: 1 }))).toEqual(["predicted_deadline"]);
    const world = busyWorld({ rowsMax: 1 });
    world.startExecutor(1);
    expect(load(world)).toEqual([]);
  });

  test("who would wait for a run that is nearly done", () => {
    const world = busyWorld();
    world.runUntil(5);
    // 4 until the executor is free and 9 for the run: 13 is 0.95 of 13.7.
    expect(world.send({ deadlineAtMs: 5 + 13.6 }).outcomes).toEqual(["predicted_deadline"]);
    expect(world.send({ deadlineAtMs: 5 + 16.5 }).outcomes).toEqual([]);
  });
});

describe("Batcher: when to come again", () => {
  test("is the time until what is here now is done", () => {
    const world = busyWorld({ rowsMax: 1, queuedRowsMax: 3 });
    for (const priority of [1, 2, 3] as const) world.send({ priority });
    world.runUntil(4);
    expect(world.send({ priority: 1 }).retryAfterMs).toBeCloseTo(5 + 3 * 9, 6);
  });

  test("is a minute at most, also when no executor is expected", () => {
    const world = new TestWorld(1, runMs);
    expect(world.send().retryAfterMs).toBe(60_000);
  });
});
