import { expect, it } from "vitest";
import { attributesOf } from "../core/rules/test-attributes.ts";
import { readsOfValues, requestText } from "./request-values.ts";

const request = attributesOf({
  headers: { "x-user": "u", cookie: "session=s" },
  query: "page=2",
  body: { customer: { id: 12, name: "Ada", tags: ["a"], none: null } },
});

it.each([
  [{ from: "header", name: "x-user" } as const, "u"],
  [{ from: "cookie", name: "session" } as const, "s"],
  [{ from: "query", name: "page" } as const, "2"],
  [{ from: "body", path: ["customer", "id"] } as const, "12"],
  [{ from: "body", path: ["customer", "name"] } as const, "Ada"],
  [{ from: "body", path: ["customer", "tags"] } as const, '["a"]'],
  [{ from: "body", path: ["customer", "none"] } as const, undefined],
  [{ from: "body", path: ["other"] } as const, undefined],
  [{ from: "header", name: "x-other" } as const, undefined],
])("requestText() reads %o as %s", (value, text) => {
  expect(requestText(request, value)).toBe(text);
});

it("readsOfValues() is what the dearest of them needs", () => {
  const header = { from: "header", name: "x" } as const;
  expect(readsOfValues([])).toBe("nothing");
  expect(readsOfValues([header])).toBe("head");
  expect(readsOfValues([header, { from: "body", path: ["x"] }])).toBe("body");
});
