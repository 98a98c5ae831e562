import type { TestRandom } from "../../packages/millrace/src/core/test-random.ts";

/** How many of `count` units do what each does with probability `p`. */
export function binomial(random: TestRandom, count: number, p: number): number {
  let successes = 0;
  for (let i = 0; i < count; i++) if (random.next() < p) successes++;
  return successes;
}
