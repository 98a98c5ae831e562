import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { hashUnit } from "./hash-unit.ts";

it.each([
  ["seed", "a", 0.0505],
  ["seed", "b", 0.2696],
  ["foo", "ab", 0.2575],
  ["foo", "def", 0.2019],
  ["89123klj", "8952klfjas09ujkasdf", 0.124],
  ["90850943850283058242805", "123", 0.7516],
  ["()**(%$##$%#$#", '___)((*":&', 0.0128],
])("hashUnit(%j, %j) is that of hash version 2", (salt, unit, hash) => {
  expect(hashUnit(salt, unit)).toBe(hash);
});

it("hashUnit() spreads 100,000 units evenly", () => {
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) counts[Math.floor(hashUnit("rule", `user-${i}`) * 10)]! += 1;
  const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  // 9 degrees of freedom: above 27.9 once in 1,000 times; the units are fixed.
  expect(chiSquare).toBeLessThan(27.9);
});

it("hashUnit() spreads units of one salt evenly under another one", () => {
  const random = new TestRandom(20_261_121);
  let chosen = 0;
  let chosenTwice = 0;
  for (let i = 0; i < 100_000; i++) {
    const unit = `${random.below(2 ** 32)}`;
    if (hashUnit("first", unit) >= 0.1) continue;
    chosen++;
    if (hashUnit("second", unit) < 0.1) chosenTwice++;
  }
  // Binomial with about 10,000 draws at 10 %: four standard deviations are 1.2 points.
  expect(chosenTwice / chosen).toBeGreaterThan(0.088);
  expect(chosenTwice / chosen).toBeLessThan(0.112);
});

it("hashUnit() agrees with hashing the digits as text", () => {
  const random = new TestRandom(Date.now() | 0);
  for (let i = 0; i < 10_000; i++) {
    const unit = random
      .next()
      .toString(36)
      .slice(0, 2 + random.below(8));
    const expected = (fnv1aText(String(fnv1aText(`salt${unit}`))) % 10_000) / 10_000;
    if (hashUnit("salt", unit) !== expected) expect.fail(`seed ${random.seed}: unit ${unit}`);
  }
  expect(hashUnit("salt", "")).toBe((fnv1aText(String(fnv1aText("salt"))) % 10_000) / 10_000);
});

function fnv1aText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++)
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}
