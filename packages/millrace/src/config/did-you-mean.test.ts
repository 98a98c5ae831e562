import { expect, it } from "vitest";
import { didYouMean } from "./did-you-mean.ts";

const KEYS = ["default", "graph", "timeout"];

it.each([
  ["timeot", "timeout"],
  ["tiemout", "timeout"],
  ["grahp", "graph"],
  ["TIMEOUT", "timeout"],
  ["defaults", "default"],
])("didYouMean() finds the key meant by %s", (word, key) => {
  expect(didYouMean(word, KEYS)).toBe(key);
});

it("didYouMean() suggests nothing when no key is near", () => {
  expect(didYouMean("concurrency", KEYS)).toBeUndefined();
  expect(didYouMean("x", KEYS)).toBeUndefined();
  expect(didYouMean("graph", [])).toBeUndefined();
});

it("didYouMean() prefers fewer edits to the first candidate", () => {
  expect(didYouMean("httpPort", ["httpsPorts", "httpPorts", "httpPort2"])).toBe("httpPorts");
});
