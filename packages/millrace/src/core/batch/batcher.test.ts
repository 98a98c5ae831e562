import { describe, expect, test } from "vitest";
import type { TestRequest } from "./test-world.ts";
import { TestWorld } from "./test-world.ts";

/** Milliseconds of a run, known to the scheduler when `teach` was called. */
const runMs = (rows: number): number => 8 + rows;

function worldOf(options: ConstructorParameters<typeof TestWorld>[2] = {}): TestWorld {
  return new TestWorld(1, runMs, { rowsMax: 4, ...options });
}

/** One executor that is ready, and a scheduler that knows how long it takes. */
function readyWorld(options: ConstructorParameters<typeof TestWorld>[2] = {}): TestWorld {
  const world = worldOf(options);
  world.teach(1, 8, ["a", "b"]);
  world.startExecutor(0);
  return world;
}

function outline(world: TestWorld): unknown[] {
  return world.batches.map(({ leftAtMs, rows, reason }) => [leftAtMs, rows, reason]);
}

/** Requests in the order in which they left. */
function leaveOrder(world: TestWorld): TestRequest[] {
  return world.batches.flatMap(({ slices }) => slices.map(({ item }) => item.request));
}

describe("Batcher: when a batch leaves", () => {
  test("takes everything that came before the poll, at once, when an executor is free", () => {
    const world = readyWorld();
    world.at(5, () => {
      for (let i = 0; i < 3; i++) world.send();
    });
    world.runUntil(100);
    expect(outline(world)).toEqual([[5, 3, "idle"]]);
  });

  test("asks for one poll, however many requests come before it", () => {
    const world = readyWorld();
    let askedCount = 0;
    const pollSoon = world.pollSoon.bind(world);
    world.pollSoon = () => {
      askedCount++;
      pollSoon();
    };
    for (let i = 0; i < 3; i++) world.send();
    expect(askedCount).toBe(1);
    world.runUntil(100);
    world.send();
    expect(askedCount).toBe(2);
  });

  test("asks for no poll when no executor could take a batch", () => {
    const world = worldOf();
    world.teach(1, 8);
    world.startExecutor(0, 2);
    world.send();
    world.runUntil(1);
    let askedCount = 0;
    world.pollSoon = () => askedCount++;
    for (let i = 0; i < 3; i++) world.send();
    expect(askedCount).toBe(0);
    world.send();
    expect(askedCount).toBe(1);
  });

  test("lets the next batch grow while the executor is busy, up to the cap", () => {
    const world = readyWorld();
    for (const atMs of [0, 1, 2, 3, 4, 5]) world.at(atMs, () => world.send());
    world.runUntil(100);
    expect(outline(world)).toEqual([
      [0, 1, "idle"],
      [9, 4, "full"],
      [21, 1, "idle"],
    ]);
  });

  test("says shape when others wait that cannot share the run", () => {
    const world = readyWorld();
    for (const bucket of ["a", "b", "a"]) world.send({ bucket });
    world.runUntil(100);
    expect(world.batches.map(({ bucket, rows, reason }) => [bucket, rows, reason])).toEqual([
      ["a", 2, "shape"],
      ["b", 1, "idle"],
    ]);
  });

  test("waits delayMs from the first request for company while an executor is free", () => {
    const world = readyWorld({ delayMs: 2 });
    for (const atMs of [10, 11, 13]) world.at(atMs, () => world.send());
    world.runUntil(100);
    expect(outline(world)).toEqual([
      [12, 2, "delay"],
      [22, 1, "delay"],
    ]);
  });

  test("does not wait for delayMs when the batch is full", () => {
    const world = readyWorld({ delayMs: 50 });
    for (const atMs of [10, 10, 11, 13]) world.at(atMs, () => world.send());
    world.runUntil(20);
    expect(outline(world)).toEqual([[13, 4, "full"]]);
  });

  test("does not wait for delayMs when the first request would be late", () => {
    const world = readyWorld({ delayMs: 50 });
    const request = world.send({ deadlineAtMs: 30 });
    world.runUntil(100);
    expect(outline(world)).toEqual([[0.95 * 30 - 9, 1, "deadline"]]);
    expect(request.outcomes).toEqual(["answered"]);
  });

  test("lets one that is due go while another shape waits for company", () => {
    const world = readyWorld({ delayMs: 20 });
    world.send({ bucket: "a" });
    world.at(1, () => world.send({ bucket: "b", deadlineAtMs: 21 }));
    world.runUntil(100);
    expect(world.batches.map(({ bucket, leftAtMs }) => [bucket, leftAtMs])).toEqual([
      ["b", 11],
      ["a", 20],
    ]);
  });

  test("gives every free executor a batch", () => {
    const world = readyWorld();
    world.startExecutor(1);
    for (let i = 0; i < 9; i++) world.send();
    world.runUntil(100);
    expect(world.batches.map(({ executor, leftAtMs, rows }) => [executor, leftAtMs, rows])).toEqual(
      [
        [0, 0, 4],
        [1, 0, 4],
        [0, 12, 1],
      ],
    );
  });

  test("leaves as soon as an executor is up when requests wait", () => {
    const world = worldOf();
    world.batcher.executorDown(0, 30);
    world.send();
    world.at(30, () => world.startExecutor(0));
    world.runUntil(100);
    expect(outline(world)).toEqual([[30, 1, "idle"]]);
  });
});

describe("Batcher: who leaves first", () => {
  test("is who has the earliest deadline, and of equal ones who came first", () => {
    const world = readyWorld({ rowsMax: 1 });
    world.send();
    world.runUntil(0);
    const [late, early, first, second] = [700, 300, 500, 500].map((deadlineAtMs) =>
      world.send({ deadlineAtMs }),
    );
    world.runUntil(200);
    expect(leaveOrder(world).slice(1)).toEqual([early, first, second, late]);
  });

  test("is the more urgent class", () => {
    const world = readyWorld({ rowsMax: 1 });
    world.send();
    world.runUntil(0);
    const [three, two, one] = ([3, 2, 1] as const).map((priority) => world.send({ priority }));
    world.runUntil(200);
    expect(leaveOrder(world).slice(1)).toEqual([one, two, three]);
  });

  test("is class 3 after at most half its time, however much of class 1 comes", () => {
    const world = readyWorld({ rowsMax: 1, objectiveMs: 200 });
    for (let atMs = 0; atMs < 300; atMs += 8.9) {
      world.at(atMs, () => world.send({ priority: 1 }));
    }
    let patient: TestRequest | undefined;
    world.at(20, () => {
      patient = world.send({ priority: 3 });
    });
    world.runUntil(500);
    expect(patient?.outcomes).toEqual(["answered"]);
    expect((patient?.endedAtMs ?? Infinity) - 20).toBeLessThan(100 + 2 * runMs(1));
  });

  test("is the shape whose first request is most urgent", () => {
    const world = readyWorld();
    world.send();
    world.runUntil(1);
    for (let i = 0; i < 3; i++) world.send({ bucket: "b", deadlineAtMs: 500 });
    world.send({ bucket: "a", deadlineAtMs: 300 });
    world.runUntil(100);
    expect(world.batches.map(({ bucket }) => bucket)).toEqual(["a", "a", "b"]);
  });

  test("is the shape that must begin earlier because it runs longer", () => {
    const world = readyWorld();
    world.send();
    world.runUntil(1);
    world.send({ bucket: "a", deadlineAtMs: 300 });
    for (let i = 0; i < 4; i++) world.send({ bucket: "b", deadlineAtMs: 302 });
    world.runUntil(100);
    expect(world.batches.map(({ bucket }) => bucket)).toEqual(["a", "b", "a"]);
  });

  test("is the fuller shape when both are as urgent", () => {
    const world = worldOf();
    world.startExecutor(0);
    for (const bucket of ["a", "b", "b", "c"]) world.send({ bucket, deadlineAtMs: 500 });
    world.runUntil(1);
    expect(world.batches[0]?.bucket).toBe("b");
  });

  test("keeps the order of requests when one does not fit any more", () => {
    const world = readyWorld();
    const requests = [3, 2, 1].map((rows) => world.send({ rows }));
    world.runUntil(100);
    expect(world.batches.map(({ rows }) => rows)).toEqual([3, 3]);
    expect(leaveOrder(world)).toEqual(requests);
  });
});

describe("Batcher: requests with more rows than a batch", () => {
  test("leave in parts, in order, and the last part shares its batch", () => {
    const world = readyWorld();
    const large = world.send({ rows: 10 });
    const small = world.send({ rows: 2 });
    world.runUntil(100);
    expect(
      world.batches.map(({ slices }) => slices.map(({ fromRow, rows }) => [fromRow, rows])),
    ).toEqual([
      [[0, 4]],
      [[4, 4]],
      [
        [8, 2],
        [0, 2],
      ],
    ]);
    expect([large.replyRows, small.replyRows]).toEqual([large.rowValues, small.rowValues]);
    expect([large.outcomes, small.outcomes]).toEqual([["answered"], ["answered"]]);
  });

  test("run on all executors at a time", () => {
    const world = readyWorld();
    world.startExecutor(1);
    const large = world.send({ rows: 8 });
    world.runUntil(100);
    expect(world.batches.map(({ executor, leftAtMs }) => [executor, leftAtMs])).toEqual([
      [0, 0],
      [1, 0],
    ]);
    expect(large.replyRows).toEqual(large.rowValues);
  });

  test("free everything when they are cancelled between two parts", () => {
    const world = readyWorld();
    const large = world.send({ rows: 10 });
    const small = world.send();
    world.at(5, () => world.cancel(large));
    world.at(6, () => {
      expect([world.batcher.waitingRows, world.batcher.itemCount, world.budget.usedBytes]).toEqual([
        1, 1, 16,
      ]);
    });
    world.runUntil(100);
    expect(outline(world)).toEqual([
      [0, 4, "full"],
      [12, 1, "idle"],
    ]);
    expect([large.outcomes, small.outcomes]).toEqual([["cancelled"], ["answered"]]);
  });

  test("run in one piece up to rowsMax where the cap is smaller", () => {
    const world = worldOf();
    for (let i = 0; i < 80; i++) world.batcher.learn("a", 1 + (i % 4), 6 * (1 + (i % 4)));
    world.startExecutor(0);
    for (const rows of [6, 1, 1]) world.send({ rows });
    world.runUntil(100);
    expect(world.batches.map(({ rows }) => rows)).toEqual([4, 2, 1, 1]);
  });
});

describe("Batcher: sending ahead", () => {
  function deepWorld(): TestWorld {
    const world = worldOf();
    world.teach(1, 8);
    world.startExecutor(0, 2);
    return world;
  }

  test("sends a full batch to a busy executor of depth 2 as soon as it is full", () => {
    const world = deepWorld();
    for (const atMs of [0, 1, 2, 3, 4]) world.at(atMs, () => world.send());
    world.runUntil(100);
    expect(outline(world)).toEqual([
      [0, 1, "idle"],
      [4, 4, "full"],
    ]);
  });

  test("keeps what does not fill a batch until the executor is free", () => {
    const world = deepWorld();
    for (const atMs of [0, 1, 2, 3]) world.at(atMs, () => world.send());
    world.runUntil(100);
    expect(outline(world)).toEqual([
      [0, 1, "idle"],
      [9, 3, "idle"],
    ]);
  });

  test("drops who would be late from a full batch, and sends no other instead", () => {
    const world = new TestWorld(1, (rows) => (rows === 1 ? 30 : runMs(rows)), { rowsMax: 4 });
    world.teach(1, 8);
    world.startExecutor(0, 2);
    world.send();
    world.runUntil(5);
    const late = world.send({ deadlineAtMs: 19 });
    world.runUntil(10);
    for (let i = 0; i < 3; i++) world.send();
    world.runUntil(11);
    expect([late.outcomes, late.endedAtMs]).toEqual([["early_drop"], 10]);
    world.send();
    world.runUntil(100);
    expect(outline(world)).toEqual([
      [0, 1, "idle"],
      [11, 4, "full"],
    ]);
  });

  test("holds one batch ahead, and never at an executor of depth 1", () => {
    const world = deepWorld();
    for (let i = 0; i < 20; i++) world.send();
    world.runUntil(1);
    expect(outline(world)).toEqual([
      [0, 4, "full"],
      [0, 4, "full"],
    ]);
    const shallow = readyWorld();
    for (let i = 0; i < 20; i++) shallow.send();
    shallow.runUntil(1);
    expect(outline(shallow)).toEqual([[0, 4, "full"]]);
  });
});

describe("Batcher: what it learns and keeps", () => {
  test("learns from every run that ended well how long runs take", () => {
    const world = worldOf();
    world.startExecutor(0);
    for (let i = 0; i < 30; i++) {
      for (let rows = 0; rows <= i % 4; rows++) world.at(100 * i, () => world.send());
    }
    world.runUntil(4_000);
    const model = world.batcher.buckets.find("a")?.model;
    expect([model?.perRowMs, model?.fixedMs].map((ms) => Math.round(ms ?? NaN))).toEqual([1, 8]);
    expect(model?.sampleCount).toBe(30);
  });

  test("limits batches to half the objective, and to runMsMax", () => {
    const objective = new TestWorld(1, runMs, { rowsMax: 8, objectiveMs: 25 });
    objective.teach(1, 8);
    expect(objective.batcher.buckets.find("a")?.cap.rows).toBe(4);
    const limited = new TestWorld(1, runMs, { rowsMax: 8, objectiveMs: 25, runMsMax: 10 });
    limited.teach(1, 8);
    expect(limited.batcher.buckets.find("a")?.cap.rows).toBe(2);
  });

  test("makes batches smaller after one that ran longer than runMsMax", () => {
    const world = new TestWorld(1, () => 20, { rowsMax: 8, runMsMax: 15 });
    world.teach(0.5, 8);
    world.startExecutor(0);
    for (let i = 0; i < 16; i++) world.send();
    world.runUntil(100);
    expect(world.batches.map(({ rows }) => rows)).toEqual([8, 7, 1]);
  });

  test("adds the time on the way to an executor and back to what it expects", () => {
    const world = readyWorld();
    world.transportMs = 3;
    for (let i = 0; i < 60; i++) world.at(20 * i, () => world.send());
    world.runUntil(2_000);
    expect(world.batches.at(0)?.predictedMs).toBeCloseTo(9, 6);
    expect(world.batches.at(-1)?.predictedMs).toBeCloseTo(9 + 3 * (1 - 0.9 ** 59), 6);
    expect(world.batcher.buckets.find("a")?.model.expectMs(1)).toBeCloseTo(9, 6);
  });

  test("records what a batch was, why it left, and what was expected of it", () => {
    const world = readyWorld();
    world.send({ receivedMs: -3 });
    world.send({ rows: 2 });
    world.runUntil(100);
    expect(world.batcher.journal.records()).toEqual([
      {
        endedAtMs: 11,
        rows: 3,
        requests: 2,
        bucket: "a",
        reason: "idle",
        headAgeMs: 3,
        predictedMs: 11,
        actualMs: 11,
        executor: 0,
        outcome: "ok",
      },
    ]);
    expect(world.batcher.journal.leaveCounts.get("idle")).toBe(1);
  });

  test("counts what waits and runs, and frees it with the answer", () => {
    const world = readyWorld();
    for (const rows of [2, 3]) world.send({ rows });
    world.runUntil(1);
    const { batcher, budget } = world;
    const counts = (): number[] => [
      batcher.waitingRows,
      batcher.itemCount,
      batcher.bytes,
      budget.usedBytes,
    ];
    expect(counts()).toEqual([3, 2, 80, 80]);
    world.runUntil(12);
    expect(counts()).toEqual([0, 1, 48, 48]);
    world.runUntil(100);
    expect(counts()).toEqual([0, 0, 0, 0]);
  });
});
