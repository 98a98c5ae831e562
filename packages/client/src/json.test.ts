import { describe, expect, it } from "vitest";
import { MillraceClientError } from "./client-error.ts";
import { readJson, reviveExact, writeJson } from "./json.ts";
import type { JsonInput } from "./json.ts";

describe("writeJson()", () => {
  const cases: readonly (readonly [string, JsonInput, string])[] = [
    ["bigint with all its digits", [2n ** 63n - 1n], "[9223372036854775807]"],
    ["a typed array as an array", [Float32Array.of(0.5, 2)], "[[0.5,2]]"],
    ["a 64-bit array with all digits", BigUint64Array.of(2n ** 64n - 1n), "[18446744073709551615]"],
    ["negative zero as -0", [-0], "[-0]"],
    ["quotes and control characters escaped", { 'a"': "\n" }, '{"a\\"":"\\n"}'],
    ["no undefined members", { a: undefined, b: null }, '{"b":null}'],
    ["an empty array", [], "[]"],
  ];
  it.each(cases)("writeJson() writes %s", (_name, value, text) => {
    expect(writeJson(value)).toBe(text);
  });

  it.each([NaN, Infinity, -Infinity])("writeJson() refuses %s and says where it is", (value) => {
    const write = (): string => writeJson({ data: [[1, 2], Float64Array.of(0, value)] });
    expect(write).toThrow(MillraceClientError);
    expect(write).toThrow(
      expect.objectContaining({
        code: "INVALID_BODY",
        message: `Cannot write body.data.1.1: it is ${value}, which has no JSON form`,
        problems: [expect.objectContaining({ location: ["body", "data", 1, 1], type: "range" })],
      }),
    );
  });

  it("writeJson() refuses undefined in an array when an untyped caller passes it", () => {
    const rows: unknown = [1, undefined];
    expect(() => writeJson(rows as JsonInput)).toThrow("Cannot write body.1: it is undefined");
  });
});

describe("readJson()", () => {
  it("readJson() keeps whole numbers beyond 2^53 exact and smaller ones as numbers", () => {
    const text = "[9007199254740991,9007199254740993,-9223372036854775808,1]";
    expect(readJson(text)).toEqual([2 ** 53 - 1, 2n ** 53n + 1n, -(2n ** 63n), 1]);
  });

  it("readJson() leaves fractions, exponents and digits inside text alone", () => {
    const text = '[0.10000000149011612,1e300,"9007199254740993",12345678901234567.5]';
    expect(readJson(text)).toEqual([
      0.10000000149011612,
      1e300,
      "9007199254740993",
      12345678901234568,
    ]);
  });
});

it("reviveExact() keeps the rounded number when the engine shows no source text", () => {
  expect(reviveExact("", 2 ** 53)).toBe(2 ** 53);
});
