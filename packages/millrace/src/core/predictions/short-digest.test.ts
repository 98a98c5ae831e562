import { expect, it } from "vitest";
import { PredictionIds } from "../prediction-id.ts";
import { TestRandom } from "../test-random.ts";
import { fnv1a, shortDigest } from "./short-digest.ts";

it("shortDigest() is eight digits and tells small changes apart", () => {
  const texts = Array.from({ length: 5_000 }, (_, i) => `schema ${i}`);
  const digests = texts.map(shortDigest);
  expect(digests.every((digest) => /^[0-9a-f]{8}$/.test(digest))).toBe(true);
  expect(new Set(digests).size).toBeGreaterThan(4_995);
});

it("fnv1a() spreads prediction ids evenly, so that a share of them is that share", () => {
  const random = new TestRandom(1);
  const ids = new PredictionIds((count) =>
    Uint8Array.from({ length: count }, () => random.below(256)),
  );
  const count = 50_000;
  let below = 0;
  for (let i = 0; i < count; i++)
    if (fnv1a(ids.next(1_763_740_000_000 + (i >> 4))) < 0.1 * 2 ** 32) below++;
  expect(below / count).toBeGreaterThan(0.094);
  expect(below / count).toBeLessThan(0.106);
});
