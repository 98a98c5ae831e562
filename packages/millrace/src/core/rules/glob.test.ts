import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { GLOB_LENGTH_MAX, GLOB_TEXT_LENGTH_MAX, matchesGlob } from "./glob.ts";

it.each([
  ["", "", true],
  ["", "*", true],
  ["", "?", false],
  ["a", "", false],
  ["mountain", "mountain", true],
  ["mountain", "Mountain", false],
  ["mountain", "m*", true],
  ["mountain", "*n", true],
  ["mountain", "*unt*", true],
  ["mountain", "m*t*n", true],
  ["mountain", "m*x*n", false],
  ["mountain", "m??ntain", true],
  ["mountain", "m?ntain", false],
  ["mountain", "*mountain*", true],
  ["mountain", "***", true],
  ["aab", "*ab", true],
  ["abab", "*ab?", false],
  ["a*b", "a*b", true],
  ["/v2/models/iris/infer", "/v2/*/infer", true],
  ["a\nb", "a?b", true],
])("matchesGlob(%j, %j) is %s", (text, glob, isMatch) => {
  expect(matchesGlob(text, glob)).toBe(isMatch);
});

it("matchesGlob() agrees with the plain definition on random texts", () => {
  const random = new TestRandom(Date.now() | 0);
  for (let round = 0; round < 20_000; round++) {
    const text = randomText(random, ["a", "b"], 8);
    const glob = randomText(random, ["a", "b", "*", "?"], 6);
    if (matchesGlob(text, glob) !== isPlainMatch(text, glob))
      expect.fail(`seed ${random.seed}: ${text} against ${glob}`);
  }
  expect(random.seed).toBe(random.seed | 0);
});

it("matchesGlob() takes time in proportion to a hostile text", () => {
  const text = "a".repeat(GLOB_TEXT_LENGTH_MAX);
  const manyStars = `${"*a".repeat(60)}*b`;
  const longPart = `*${"a".repeat(GLOB_LENGTH_MAX - 2)}b`;
  const startMs = performance.now();
  expect(matchesGlob(text, manyStars)).toBe(false);
  expect(matchesGlob(text, longPart)).toBe(false);
  // At most 8,192 × 128 comparisons; with going back to every star it would not end.
  expect(performance.now() - startMs).toBeLessThan(500);
});

function isPlainMatch(text: string, glob: string): boolean {
  const [head] = glob;
  if (head === undefined) return text === "";
  if (head === "*") {
    return isPlainMatch(text, glob.slice(1)) || (text !== "" && isPlainMatch(text.slice(1), glob));
  }
  return (
    text !== "" && (head === "?" || head === text[0]) && isPlainMatch(text.slice(1), glob.slice(1))
  );
}

function randomText(
  random: TestRandom,
  letters: readonly [string, ...string[]],
  lengthMax: number,
): string {
  return Array.from({ length: random.below(lengthMax + 1) }, () => random.pick(letters)).join("");
}
