import { expect, it } from "vitest";
import type { Redaction } from "../../core/predictions/redaction.ts";
import { redactAttributes } from "./redact-attributes.ts";

const DROP: Redaction = { kind: "drop" };

const redact = (attributes: object, rules: Readonly<Record<string, Redaction>>) =>
  redactAttributes(JSON.stringify(attributes), rules, (text) => `h(${text})`);

it("redactAttributes() drops, masks, hashes and buckets by name, and leaves the rest", () => {
  const rules = {
    email: { kind: "drop" },
    phone: { kind: "mask" },
    user: { kind: "hmac" },
    cart: { kind: "hmac" },
    age: { kind: "bucket", by: 10 },
    income: { kind: "bucket", by: [0, 1000, 5000] },
  } as const;
  const attributes = {
    email: "a@b",
    phone: 1,
    user: "u",
    cart: { id: 7 },
    age: 47,
    income: 1200,
    other: [1, "x"],
  };
  expect(JSON.parse(redact(attributes, rules) ?? "")).toEqual({
    phone: "***",
    user: "h(u)",
    cart: 'h({"id":7})',
    age: 40,
    income: 1000,
    other: [1, "x"],
  });
});

it("redactAttributes() gives nothing when nothing is left", () => {
  const rules = { name: DROP } as const;
  expect(redact({ name: "n", a: 1 }, rules)).toBe('{"a":1}');
  expect(redact({ name: "n" }, rules)).toBeUndefined();
  expect(redactAttributes(undefined, rules, String)).toBeUndefined();
});

it("redactAttributes() gives back attributes that no rule names as they are", () => {
  const text = '{"n":9007199254740993,"__proto__":1}';
  expect(redactAttributes(text, { other: DROP }, String)).toBe(text);
  expect(redactAttributes(text, { n: DROP }, String)).toBe('{"__proto__":1}');
});
