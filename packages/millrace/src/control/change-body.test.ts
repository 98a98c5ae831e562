import { describe, expect, it } from "vitest";
import type { MillraceError } from "../core/errors.ts";
import { readManyValues, readOneValue, readUnsetting } from "./change-body.ts";

function bytes(body: unknown): Buffer {
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

describe("readOneValue()", () => {
  it("reads value, reason, time and who", () => {
    const body = bytes({ value: { a: [1, null] }, reason: "why", for: "2h", by: "ann" });
    expect(readOneValue("some.path", body)).toEqual({
      set: new Map([["some.path", { a: [1, null] }]]),
      unset: [],
      reason: "why",
      forMs: 7_200_000,
      by: "ann",
    });
  });

  it("takes false, 0 and null as values", () => {
    for (const value of [false, 0, null]) {
      expect(readOneValue("p", bytes({ value })).set.get("p")).toBe(value);
    }
  });

  it.each([
    [{}, ["body", "value"]],
    [{ value: 1, for: "2" }, ["body", "for"]],
    [{ value: 1, for: 2 }, ["body", "for"]],
    [{ value: 1, for: "0ms" }, ["body", "for"]],
    [{ value: 1, for: "9999d" }, ["body", "for"]],
    [{ value: 1, reason: "x".repeat(1001) }, ["body", "reason"]],
    [{ value: 1, vlaue: 2 }, ["body"]],
    [[], ["body"]],
  ])("refuses %j and says where", (body, location) => {
    expect(refusal(() => readOneValue("p", bytes(body)))).toMatchObject({
      code: "INVALID_BODY",
      problems: [{ location }],
    });
  });

  it("refuses a value that is nested too deeply, however deeply", () => {
    for (const depth of [64, 400_000]) {
      const text = `{"value":${"[".repeat(depth)}${"]".repeat(depth)}}`;
      expect(refusal(() => readOneValue("p", bytes(text)))).toMatchObject({ code: "INVALID_BODY" });
    }
    expect(refusal(() => readOneValue("p", bytes({ value: [[[[{}]]]] })))).toBeUndefined();
  });

  it("refuses what is not JSON", () => {
    expect(refusal(() => readOneValue("p", bytes("{")))).toMatchObject({ code: "INVALID_JSON" });
    expect(refusal(() => readOneValue("p", Buffer.alloc(0)))).toMatchObject({
      code: "INVALID_JSON",
    });
  });
});

describe("readManyValues()", () => {
  it("reads every path", () => {
    const { set, unset } = readManyValues(bytes({ set: { a: 1, b: "2s" }, unset: ["c"] }));
    expect(unset).toEqual(["c"]);
    expect([...set]).toEqual([
      ["a", 1],
      ["b", "2s"],
    ]);
  });

  it("refuses none, more than a change may have, and a path that is set and unset", () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`p${i}`, 1]));
    const bodies = [{}, { set: {} }, { set: many, unset: ["a"] }, { set: { a: 1 }, unset: ["a"] }];
    for (const body of bodies) {
      expect(refusal(() => readManyValues(bytes(body)))).toMatchObject({
        code: "INVALID_BODY",
        problems: [{ location: ["body"] }],
      });
    }
  });
});

it("readUnsetting() takes no body for no reason", () => {
  expect(readUnsetting(Buffer.alloc(0))).toEqual({ reason: "", by: undefined });
  expect(readUnsetting(bytes({ reason: "over", by: "ann" }))).toEqual({
    reason: "over",
    by: "ann",
  });
});

function refusal(read: () => unknown): MillraceError | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return error as MillraceError;
  }
}
