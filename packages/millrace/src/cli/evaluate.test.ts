import { expect, it } from "vitest";
import { parseCommandLine } from "./command.ts";
import { evaluate, readRequest } from "./evaluate.ts";

const NOW_MS = Date.UTC(2026, 10, 21, 16);
const DAY_MS = 86_400_000;

function read(...words: string[]) {
  return readRequest(parseCommandLine(words, evaluate), NOW_MS);
}

it("readRequest() takes the last week by model and version unless told otherwise", () => {
  expect(read("iris")).toEqual({
    service: "iris",
    sinceMs: NOW_MS - 7 * DAY_MS,
    untilMs: NOW_MS,
    windowMs: 14 * DAY_MS,
    by: ["model", "version"],
    countMin: 1,
  });
});

it("readRequest() reads times, how long ago, names and counts", () => {
  const words = ["--since", "2026-11-01T00:00:00+01:00", "--until", "1h", "--window=1.5h"];
  expect(read("iris", ...words, "--by", "region, version,region", "--min-count", "30")).toEqual({
    service: "iris",
    sinceMs: Date.UTC(2026, 9, 31, 23),
    untilMs: NOW_MS - 3_600_000,
    windowMs: 5_400_000,
    by: ["region", "version"],
    countMin: 30,
  });
});

it.each([
  [[], "expected one service"],
  [["a", "b"], "expected one service"],
  [["a", "--since", "1795276800"], "--since: expected 7d, or a time with its zone"],
  [["a", "--since", "1h", "--until", "2h"], "--since: expected a time before --until"],
  [["a", "--by", "x,,y"], "--by: expected 1 to 8 names"],
  [["a", "--by", "a,b,c,d,e,f,g,h,i"], "--by: expected 1 to 8 names"],
  [["a", "--window", "0s"], '--window: expected 14d, found "0s"'],
  [["a", "--min-count", "-1"], '--min-count: expected a whole number, found "-1"'],
])("readRequest() refuses %j", (words, message) => {
  expect(() => read(...words)).toThrow(message);
});
