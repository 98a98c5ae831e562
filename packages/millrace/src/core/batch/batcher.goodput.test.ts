import { expect, test } from "vitest";
import type { TestRandom } from "../test-random.ts";
import { TestWorld } from "./test-world.ts";

const ROWS_MAX = 32;
const OBJECTIVE_MS = 20;
const SECONDS = 0.5;

/** Requests a second that full batches get done. */
const CAPACITY_PER_S = (1_000 * ROWS_MAX) / (0.025 * ROWS_MAX + 0.28);

function runMs(rows: number, random: TestRandom): number {
  return (0.025 * rows + 0.28) * (0.9 + 0.2 * random.next());
}

/** Requests of one row at random moments for half a second. */
function worldOf(load: number, objectiveMs: number | undefined): TestWorld {
  const world = new TestWorld(7, runMs, {
    rowsMax: ROWS_MAX,
    objectiveMs,
    queuedRowsMax: 1e6,
  });
  world.teach(0.025, 0.28);
  world.startExecutor(0);
  const count = load * CAPACITY_PER_S * SECONDS;
  for (let i = 0; i < count; i++) {
    world.at(world.random.next() * SECONDS * 1_000, () =>
      world.send({ deadlineAtMs: world.nowMs + 60_000 }),
    );
  }
  world.runUntil(20_000);
  return world;
}

function latenciesOf(world: TestWorld): number[] {
  return world.requests
    .filter(({ outcomes }) => outcomes[0] === "answered")
    .map(({ sentAtMs, endedAtMs }) => endedAtMs - sentAtMs);
}

test("Batcher answers 90 % of capacity within the objective when 1.1, 2 and 4 times as much is offered", () => {
  for (const load of [1.1, 2, 4]) {
    const good = latenciesOf(worldOf(load, OBJECTIVE_MS)).filter((ms) => ms <= OBJECTIVE_MS);
    expect(good.length / (CAPACITY_PER_S * SECONDS), `load ${load}`).toBeGreaterThan(0.9);
  }
});

test("Batcher answers next to nothing within the objective when it has none to go by", () => {
  const good = latenciesOf(worldOf(2, undefined)).filter((ms) => ms <= OBJECTIVE_MS);
  expect(good.length / (CAPACITY_PER_S * SECONDS)).toBeLessThan(0.2);
});

test("Batcher has the latencies of greedy batching when at most 0.9 of capacity is offered", () => {
  for (const load of [0.05, 0.3, 0.6, 0.9]) {
    const [ours, greedy] = [worldOf(load, OBJECTIVE_MS), worldOf(load, undefined)];
    expect(latenciesOf(ours), `load ${load}`).toEqual(latenciesOf(greedy));
  }
});
