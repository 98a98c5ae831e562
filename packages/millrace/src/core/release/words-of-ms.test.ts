import { expect, it } from "vitest";
import { wordsOfMs } from "./words-of-ms.ts";

it.each([
  [0, "0ms"],
  [999, "999ms"],
  [1_500, "1500ms"],
  [2_000, "2s"],
  [60_000, "1m"],
  [90_000, "90s"],
  [5_400_000, "90m"],
  [5_400_001, "91m"],
  [86_400_000, "1d"],
  [129_600_000, "36h"],
  [31_536_000_000, "365d"],
])("wordsOfMs() says %i ms as %s", (ms, words) => {
  expect(wordsOfMs(ms)).toBe(words);
});
