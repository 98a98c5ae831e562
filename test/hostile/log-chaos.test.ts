import { expect, it } from "vitest";
import { logChaos, RING_RECORDS } from "./log-chaos.ts";

it("the log loses at most a ring, and has no row twice, whoever is killed", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`seed ${seed}`);
  const report = await logChaos({ seed, rounds: 4 });
  expect(report.twice, `seed ${seed}`).toBe(0);
  expect(report.lostWithoutKillMax, `seed ${seed}`).toBe(0);
  expect(report.lostOfRoundMax, `seed ${seed}`).toBeLessThanOrEqual(2 * RING_RECORDS);
  expect(report.failed, `seed ${seed}`).toBe(0);
  expect(report.rows).toBeGreaterThan(0);
}, 120_000);
