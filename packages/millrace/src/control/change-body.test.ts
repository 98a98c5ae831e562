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
      values: new Map([["some.path", { a: [1, null] }]]),
      reason: "why",
      forMs: 7_200_000,
      by: "ann",
    });
  });

  it("takes false, 0 and null as values", () => {
    for (const value of [false, 0, null]) {
      expect(readOneValue("p", bytes({ value })).values.get("p")).toBe(value);
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

  it("refuses what is not JSON", () => {
    expect(refusal(() => readOneValue("p", bytes("{")))).toMatchObject({ code: "INVALID_JSON" });
    expect(refusal(() => readOneValue("p", Buffer.alloc(0)))).toMatchObject({
      code: "INVALID_JSON",
    });
  });
});

describe("readManyValues()", () => {
  it("reads every path", () => {
    const { values } = readManyValues(bytes({ set: { a: 1, b: "2s" } }));
    expect([...values]).toEqual([
      ["a", 1],
      ["b", "2s"],
    ]);
  });

  it("refuses none, and more than a change may have", () => {
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`p${i}`, 1]));
    for (const set of [{}, many]) {
      expect(refusal(() => readManyValues(bytes({ set })))).toMatchObject({
        code: "INVALID_BODY",
        problems: [{ location: ["body", "set"] }],
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
