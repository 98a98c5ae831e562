import { describe, expect, test } from "vitest";
import { TestWorld, type TestRequest } from "./test-world.ts";

const runMs = (rows: number): number => 8 + rows;

function readyWorld(options: ConstructorParameters<typeof TestWorld>[2] = {}): TestWorld {
  const world = new TestWorld(1, runMs, { rowsMax: 4, ...options });
  world.teach(1, 8);
  world.startExecutor(0);
  return world;
}

const outcomesOf = (requests: readonly TestRequest[]): unknown[] =>
  requests.map(({ outcomes }) => outcomes.join());

describe("Batcher: a model that throws", () => {
  test("fails the request it throws on, with what it threw, and nobody else", () => {
    const world = readyWorld();
    const requests = [false, true, false, false].map((isPoison) => world.send({ isPoison }));
    world.runUntil(200);
    expect(outcomesOf(requests)).toEqual(["answered", "model_failed", "answered", "answered"]);
    expect(requests[1]?.cause).toEqual(new Error("poison"));
    expect(world.batches.map(({ rows, reason }) => [rows, reason])).toEqual([
      [4, "full"],
      [2, "retry"],
      [2, "retry"],
      [1, "retry"],
      [1, "retry"],
    ]);
    expect(world.batcher.journal.bisectCount).toBe(2);
    expect(world.batcher.journal.records().map(({ outcome }) => outcome)).toEqual([
      "failed",
      "failed",
      "ok",
      "ok",
      "failed",
    ]);
  });

  test("is run at most 2·⌈log2 n⌉ times more to find one request among n, wherever it stands", () => {
    for (const n of [1, 2, 3, 5, 7, 8, 13, 32]) {
      for (let poison = 0; poison < n; poison++) {
        const world = readyWorld({ rowsMax: 32 });
        const requests = Array.from({ length: n }, (_, i) =>
          world.send({ isPoison: i === poison, deadlineAtMs: 10_000 }),
        );
        world.runUntil(10_000);
        expect(world.batches.length, `${poison} of ${n}`).toBeLessThanOrEqual(
          1 + 2 * Math.ceil(Math.log2(n)),
        );
        const failed = requests.filter(({ outcomes }) => outcomes[0] !== "answered");
        expect(failed, `${poison} of ${n}`).toEqual([requests[poison]]);
      }
    }
  });

  test("runs the halves before what waits", () => {
    const world = readyWorld();
    const first = [false, true].map((isPoison) => world.send({ isPoison }));
    world.at(1, () => world.send({ deadlineAtMs: 200 }));
    world.runUntil(300);
    const order = world.batches.map(({ slices }) => slices.map(({ item }) => item.request.id));
    expect(order).toEqual([[0, 1], [0], [1], [2]]);
    expect(outcomesOf(first)).toEqual(["answered", "model_failed"]);
  });

  test("does not run again for those who have gone meanwhile", () => {
    const world = readyWorld();
    const [poison, other] = [true, false].map((isPoison) => world.send({ isPoison }));
    world.at(1, () => world.cancel(poison as TestRequest));
    world.at(2, () => world.cancel(other as TestRequest));
    world.runUntil(100);
    expect(world.batches).toHaveLength(1);
    expect(world.batcher.itemCount).toBe(0);
  });

  test("runs again for the one who is left when the others have gone: it may be innocent", () => {
    const world = readyWorld();
    const [poison, other] = [true, false].map((isPoison) => world.send({ isPoison }));
    world.at(1, () => world.cancel(poison as TestRequest));
    world.runUntil(100);
    expect(other?.outcomes).toEqual(["answered"]);
  });

  test("fails a request in parts once, and its other parts do not run", () => {
    const world = readyWorld();
    const large = world.send({ rows: 10, isPoison: true });
    const small = world.send();
    world.runUntil(200);
    expect([large.outcomes, small.outcomes]).toEqual([["model_failed"], ["answered"]]);
    expect(world.batches.map(({ rows }) => rows)).toEqual([4, 1]);
  });

  test("teaches nothing about how long a run takes", () => {
    const world = readyWorld();
    const before = world.batcher.buckets.find("a")?.model.sampleCount;
    world.send({ isPoison: true });
    world.runUntil(100);
    expect(world.batcher.buckets.find("a")?.model.sampleCount).toBe(before);
  });
});

describe("Batcher: an executor that dies", () => {
  test("has its batch run once more when it is back", () => {
    const world = readyWorld();
    const requests = [world.send(), world.send()];
    world.at(5, () => world.crash(0, 10));
    world.runUntil(100);
    expect(outcomesOf(requests)).toEqual(["answered", "answered"]);
    expect(world.batches.map(({ leftAtMs, reason }) => [leftAtMs, reason])).toEqual([
      [0, "idle"],
      [15, "retry"],
    ]);
    expect(world.batcher.journal.records().map(({ outcome }) => outcome)).toEqual(["lost", "ok"]);
  });

  test("has its batch run at once by another one that is free", () => {
    const world = readyWorld();
    world.startExecutor(1);
    world.send();
    world.at(5, () => world.crash(0, 1_000));
    world.runUntil(100);
    expect(world.batches.map(({ executor, leftAtMs }) => [executor, leftAtMs])).toEqual([
      [0, 0],
      [1, 5],
    ]);
  });

  test("costs a request its answer when the second one dies too", () => {
    const world = readyWorld();
    const request = world.send();
    const waiting = world.send({ rows: 4 });
    world.at(5, () => world.crash(0, 10));
    world.at(20, () => world.crash(0, 10));
    world.runUntil(200);
    expect([request.outcomes, waiting.outcomes]).toEqual([["executor_lost"], ["answered"]]);
  });

  test("counts once for a request of which it held two parts", () => {
    const world = new TestWorld(1, runMs, { rowsMax: 4 });
    world.teach(1, 8);
    world.startExecutor(0, 2);
    const large = world.send({ rows: 8 });
    world.runUntil(5);
    expect(world.depthSeen).toBe(2);
    world.crash(0, 10);
    world.runUntil(200);
    expect(large.outcomes).toEqual(["answered"]);
    expect(large.replyRows).toEqual(large.rowValues);
  });

  test("takes everybody along when it was the last and none is expected", () => {
    const world = readyWorld();
    const requests = Array.from({ length: 6 }, () => world.send());
    world.at(5, () => world.crash(0, Infinity));
    world.runUntil(6);
    expect(new Set(outcomesOf(requests))).toEqual(new Set(["executor_lost"]));
    expect([world.batcher.itemCount, world.batcher.waitingRows]).toEqual([0, 0]);
  });

  test("takes nobody along when another one is up", () => {
    const world = readyWorld();
    world.startExecutor(1);
    const requests = Array.from({ length: 6 }, () => world.send());
    world.at(5, () => world.crash(0, Infinity));
    world.runUntil(200);
    expect(new Set(outcomesOf(requests))).toEqual(new Set(["answered"]));
  });
});

describe("Batcher: clients that go", () => {
  test("free their rows and bytes at once and leave no trace in the next batch", () => {
    const world = readyWorld();
    world.send();
    world.runUntil(1);
    const [gone, kept] = [world.send({ rows: 2 }), world.send()];
    world.cancel(gone);
    const { batcher, budget } = world;
    expect([batcher.waitingRows, batcher.itemCount, batcher.bytes, budget.usedBytes]).toEqual([
      1, 2, 32, 32,
    ]);
    world.runUntil(100);
    expect(world.batches.map(({ rows }) => rows)).toEqual([1, 1]);
    expect(outcomesOf([gone, kept])).toEqual(["cancelled", "answered"]);
  });

  test("change nothing for the others of a batch that runs", () => {
    const world = readyWorld();
    const requests = [2, 1, 1].map((rows) => world.send({ rows }));
    world.at(5, () => world.cancel(requests[0] as TestRequest));
    world.runUntil(100);
    expect(outcomesOf(requests)).toEqual(["cancelled", "answered", "answered"]);
    const [, second, third] = requests;
    expect([second?.replyRows, third?.replyRows]).toEqual([second?.rowValues, third?.rowValues]);
    expect(world.batches).toHaveLength(1);
  });

  test("are counted once, however often they go", () => {
    const world = readyWorld();
    const item = world.items.get(world.send().id);
    if (item === undefined) throw new Error("The request was refused");
    world.batcher.cancel(item);
    world.batcher.cancel(item);
    expect(world.batcher.journal.dropCounts.get("cancelled")).toBe(1);
    expect([world.batcher.itemCount, world.budget.usedBytes]).toEqual([0, 0]);
  });
});

describe("Batcher: requests that are late", () => {
  test("expire at their deadline while they wait", () => {
    const world = new TestWorld(1, () => 40, { rowsMax: 1 });
    world.startExecutor(0);
    world.send();
    world.runUntil(0);
    const waiting = world.send({ deadlineAtMs: 30 });
    world.runUntil(100);
    expect([waiting.outcomes, waiting.endedAtMs]).toEqual([["expired"], 30]);
    expect(world.batches).toHaveLength(1);
  });

  test("expire at their deadline while they run, and the late result is nobody's", () => {
    const world = new TestWorld(1, () => 40, { rowsMax: 2 });
    world.startExecutor(0);
    const [late, patient] = [world.send({ deadlineAtMs: 30 }), world.send()];
    world.runUntil(100);
    expect([late.outcomes, late.endedAtMs]).toEqual([["expired"], 30]);
    expect(late.replyRows).toEqual([]);
    expect([patient.outcomes, patient.endedAtMs]).toEqual([["answered"], 40]);
  });

  test("expire at their deadline while they wait for another try", () => {
    const world = readyWorld();
    const request = world.send({ deadlineAtMs: 50 });
    world.at(5, () => world.crash(0, 500));
    world.runUntil(600);
    expect([request.outcomes, request.endedAtMs]).toEqual([["expired"], 50]);
    expect(world.batches).toHaveLength(1);
  });

  test("expire one after another, each at its own deadline", () => {
    const world = new TestWorld(1, () => 500, { rowsMax: 1 });
    world.startExecutor(0);
    world.send();
    world.runUntil(0);
    const requests = [70, 30, 50, 40].map((deadlineAtMs) => world.send({ deadlineAtMs }));
    world.runUntil(100);
    expect(requests.map(({ endedAtMs }) => endedAtMs)).toEqual([70, 30, 50, 40]);
  });

  test("are dropped early when others wait and their batch would miss the deadline or objective", () => {
    for (const limit of ["deadline", "objective"]) {
      const world = new TestWorld(1, (rows) => (rows === 1 ? 30 : 10), {
        rowsMax: 4,
        objectiveMs: limit === "objective" ? 38 : undefined,
      });
      world.teach(1, 8);
      world.startExecutor(0);
      world.send();
      world.runUntil(1);
      // The run takes 30 instead of 9: at 30 the batch of two needs until 40.
      const late = world.send(limit === "deadline" ? { deadlineAtMs: 39 } : {});
      world.at(10, () => world.send());
      world.runUntil(100);
      expect([late.outcomes, late.endedAtMs], `${limit}`).toEqual([["early_drop"], 30]);
      expect(world.requests[2]?.outcomes, `${limit}`).toEqual(["answered"]);
      expect(world.batches, `${limit}`).toHaveLength(2);
    }
  });

  test("are dropped early when the way back would take too long", () => {
    let isSlow = false;
    const world = new TestWorld(1, (rows) => (isSlow ? 30 : runMs(rows)), { rowsMax: 4 });
    world.teach(1, 8);
    world.startExecutor(0);
    world.transportMs = 3;
    for (let i = 1; i <= 100; i++) world.at(20 * i, () => world.send());
    world.runUntil(2_050);
    isSlow = true;
    world.send();
    world.runUntil(2_051);
    isSlow = false;
    // At 2083 the batch of two needs 10 and 3 on the way.
    const late = world.send({ deadlineAtMs: 2_095 });
    world.send();
    world.runUntil(2_200);
    expect(late.outcomes).toEqual(["early_drop"]);
  });

  test("are kept when they just make it: a batch is as large as without them", () => {
    const world = new TestWorld(1, (rows) => (rows === 1 ? 30 : 10), { rowsMax: 4 });
    world.teach(1, 8);
    world.startExecutor(0);
    world.send();
    world.runUntil(1);
    const tight = world.send({ deadlineAtMs: 40.5 });
    world.send({ deadlineAtMs: 60 });
    world.runUntil(100);
    expect(tight.outcomes).toEqual(["answered"]);
    expect(world.batches.map(({ rows }) => rows)).toEqual([1, 2]);
  });

  test("run nevertheless when nobody waits behind them", () => {
    const world = new TestWorld(1, (rows) => (rows === 1 ? 30 : 10), {
      rowsMax: 4,
      objectiveMs: 20,
    });
    world.teach(1, 8);
    world.startExecutor(0);
    world.send();
    world.runUntil(1);
    const late = world.send();
    world.runUntil(100);
    expect(late.outcomes).toEqual(["answered"]);
    expect(late.endedAtMs).toBe(60);
  });
});

describe("Batcher.dropAll()", () => {
  test("ends what waits, runs and is to be tried again, each once", () => {
    const world = readyWorld();
    world.startExecutor(1);
    const requests = Array.from({ length: 9 }, () => world.send());
    requests.push(world.send({ rows: 10 }));
    world.at(2, () => world.crash(0, 100));
    world.at(3, () => world.batcher.dropAll());
    world.runUntil(300);
    expect(new Set(outcomesOf(requests))).toEqual(new Set(["shutdown"]));
    const { batcher, budget } = world;
    expect([batcher.waitingRows, batcher.itemCount, batcher.bytes, budget.usedBytes]).toEqual([
      0, 0, 0, 0,
    ]);
    expect(world.batches).toHaveLength(2);
  });

  test("ends a request once of which one part runs and another waits", () => {
    const world = readyWorld();
    const large = world.send({ rows: 10 });
    world.runUntil(1);
    world.batcher.dropAll();
    world.runUntil(100);
    expect(large.outcomes).toEqual(["shutdown"]);
    expect(world.batcher.journal.dropCounts.get("shutdown")).toBe(1);
  });
});
