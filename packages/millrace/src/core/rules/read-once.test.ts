import { expect, it } from "vitest";
import type { Attributes } from "./attributes.ts";
import { ReadOnce } from "./read-once.ts";
import { attributesOf } from "./test-attributes.ts";

/** Attributes that note what they are asked for. */
function noting(asked: string[]): Attributes {
  const source = attributesOf({
    method: "PUT",
    path: "/v2",
    headers: { a: "1", empty: "", cookie: "a=2" },
    query: "a=3",
    body: { a: 4 },
    caller: "shop",
    unit: "user",
  });
  return {
    ...source,
    header: (name) => {
      asked.push(`header ${name}`);
      return source.header(name);
    },
    query: (name) => {
      asked.push(`query ${name}`);
      return source.query(name);
    },
    cookie: (name) => {
      asked.push(`cookie ${name}`);
      return source.cookie(name);
    },
  };
}

it("ReadOnce() asks for each header, parameter and cookie once, also for those that are missing", () => {
  const asked: string[] = [];
  const attributes = new ReadOnce(noting(asked));
  for (let round = 0; round < 3; round++) {
    expect(attributes.header("a")).toBe("1");
    expect(attributes.header("empty")).toBe("");
    expect(attributes.header("b")).toBeUndefined();
    expect(attributes.query("a")).toBe("3");
    expect(attributes.query("b")).toBeUndefined();
    expect(attributes.cookie("a")).toBe("2");
    expect(attributes.cookie("b")).toBeUndefined();
  }
  expect(asked).toEqual([
    "header a",
    "header empty",
    "header b",
    "query a",
    "query b",
    "cookie a",
    "cookie b",
  ]);
});

it("ReadOnce() passes the other attributes on", () => {
  const { method, path, caller, unit, ...rest } = noting([]);
  const attributes = new ReadOnce({ method, path, caller, unit, ...rest });
  expect([attributes.method, attributes.path, attributes.caller, attributes.unit]).toEqual([
    method,
    path,
    caller,
    unit,
  ]);
  expect(attributes.body(["a"])).toBe(4);
});
