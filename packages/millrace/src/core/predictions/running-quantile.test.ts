import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { RunningQuantile } from "./running-quantile.ts";

/** Latencies as services have them: most alike, a long tail. */
function logNormal(random: TestRandom): number {
  const gauss = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return Math.exp(0.5 * gauss);
}

it.each([1, 2, 3])("observe() says of about a hundredth that they are above, seed %i", (seed) => {
  const random = new TestRandom(seed);
  const quantile = new RunningQuantile(0.99);
  for (let i = 0; i < 2_000; i++) quantile.observe(logNormal(random));
  let above = 0;
  for (let i = 0; i < 50_000; i++) if (quantile.observe(logNormal(random))) above++;
  expect(above / 50_000).toBeGreaterThan(0.007);
  expect(above / 50_000).toBeLessThan(0.013);
});

it("observe() follows values that change their size", () => {
  const random = new TestRandom(4);
  const quantile = new RunningQuantile(0.99);
  for (let i = 0; i < 5_000; i++) quantile.observe(logNormal(random));
  for (let i = 0; i < 5_000; i++) quantile.observe(100 * logNormal(random));
  expect(quantile.estimate).toBeGreaterThan(150);
  expect(quantile.estimate).toBeLessThan(800);
});

it("observe() says of none that it is above before it has seen some", () => {
  const quantile = new RunningQuantile(0.99);
  const said = Array.from({ length: 100 }, (_, i) => quantile.observe(i + 1));
  expect(said).not.toContain(true);
});

it("observe() finds its way from values of zero", () => {
  const quantile = new RunningQuantile(0.99);
  for (let i = 0; i < 200; i++) quantile.observe(0);
  for (let i = 0; i < 3_000; i++) quantile.observe(i % 100 === 0 ? 50 : 1);
  expect(quantile.estimate).toBeGreaterThan(0.5);
});
