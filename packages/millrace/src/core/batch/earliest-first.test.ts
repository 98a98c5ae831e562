import { describe, expect, test } from "vitest";
import { TestRandom } from "../test-random.ts";
import { EarliestFirst, type Ordered } from "./earliest-first.ts";

const SEED = Date.now() % 2 ** 31;

/** Entries with many equal orders, so that the sequence decides often. */
function randomEntries(random: TestRandom, count: number): Ordered[] {
  return Array.from({ length: count }, (_, sequence) => ({ orderMs: random.below(20), sequence }));
}

function sorted(entries: readonly Ordered[]): Ordered[] {
  return [...entries].sort((a, b) => a.orderMs - b.orderMs || a.sequence - b.sequence);
}

function drain(queue: EarliestFirst<Ordered>): Ordered[] {
  const drained: Ordered[] = [];
  for (let next = queue.removeFirst(); next !== undefined; next = queue.removeFirst()) {
    drained.push(next);
  }
  return drained;
}

describe("EarliestFirst", () => {
  test("first() and removeFirst() are undefined when it is empty", () => {
    const queue = new EarliestFirst<Ordered>();
    expect([queue.first(), queue.removeFirst(), queue.size]).toEqual([undefined, undefined, 0]);
  });

  test("removeFirst() gives what was added in order, for 200 random queues", () => {
    const random = new TestRandom(SEED);
    for (let round = 0; round < 200; round++) {
      const entries = randomEntries(random, random.below(60));
      const queue = new EarliestFirst<Ordered>();
      for (const entry of entries) queue.add(entry);
      expect(queue.size).toBe(entries.length);
      expect(drain(queue), `seed ${SEED}`).toEqual(sorted(entries));
    }
  });

  test("first() is the smallest after any mix of adding and removing", () => {
    const random = new TestRandom(SEED);
    const queue = new EarliestFirst<Ordered>();
    let held: Ordered[] = [];
    for (const entry of randomEntries(random, 3_000)) {
      queue.add(entry);
      held.push(entry);
      for (let i = random.below(3); i > 0; i--) {
        held = sorted(held);
        expect(queue.removeFirst(), `seed ${SEED}`).toBe(held.shift());
      }
      expect(queue.first(), `seed ${SEED}`).toBe(sorted(held)[0]);
    }
  });

  test("retain() keeps the order of what it keeps, for 200 random queues", () => {
    const random = new TestRandom(SEED);
    for (let round = 0; round < 200; round++) {
      const entries = randomEntries(random, random.below(60));
      const queue = new EarliestFirst<Ordered>();
      for (const entry of entries) queue.add(entry);
      const isKept = ({ sequence }: Ordered): boolean => sequence % 3 !== round % 3;
      queue.retain(isKept);
      const kept = entries.filter(isKept);
      expect([...queue].length).toBe(kept.length);
      expect(drain(queue), `seed ${SEED}`).toEqual(sorted(kept));
    }
  });
});
