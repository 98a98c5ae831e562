import { expect, it } from "vitest";
import { policyOf, PrivacyPlan } from "./privacy-plan.ts";
import { fp32 } from "./test-record.ts";

const hash = (text: string): string => `#${text}`;
const COLUMNS = { x: ["age", "income", "zip"] };
const X = fp32("x", [2, 3], [37, 5.1, 8000, 12, 7.5, 9000]);

function plan(
  rules: Partial<Parameters<typeof PrivacyPlan.of>[2]>,
  names = ["x", "note"],
): PrivacyPlan | undefined {
  return PrivacyPlan.of(names, COLUMNS, { fields: undefined, redact: {}, ...rules });
}

it("of() makes no plan when everything is logged as it is", () => {
  expect(plan({})).toBeUndefined();
  expect(plan({ fields: ["x", "note"] })).toBeUndefined();
  expect(plan({ redact: { other: { kind: "drop" } } })).toBeUndefined();
});

it("apply() leaves out inputs and columns that are not allowed", () => {
  const made = plan({ fields: ["income", "age"] });
  const note = { name: "note", datatype: "BYTES" as const, shape: [2], data: ["a", "b"] };
  expect(made?.columns).toEqual({ x: ["age", "income"] });
  expect(made?.apply([X, note], hash)).toEqual([fp32("x", [2, 2], [37, 5.1, 12, 7.5])]);
});

it("apply() drops, masks, hashes and buckets columns, which become tensors of their own", () => {
  const made = plan({
    redact: { age: { kind: "bucket", by: 10 }, income: { kind: "hmac" }, zip: { kind: "mask" } },
  });
  expect(made?.columns).toEqual({ x: [] });
  expect(made?.apply([X], hash)).toEqual([
    { name: "age", datatype: "FP64", shape: [2], data: Float64Array.of(30, 10) },
    { name: "income", datatype: "BYTES", shape: [2], data: ["#5.1", "#7.5"] },
    { name: "zip", datatype: "BYTES", shape: [2], data: ["***", "***"] },
  ]);
  const dropped = plan({ redact: { zip: { kind: "drop" } } });
  expect(dropped?.apply([X], hash)).toEqual([fp32("x", [2, 2], [37, 5.1, 12, 7.5])]);
  expect(dropped?.columns).toEqual({ x: ["age", "income"] });
});

it("apply() changes whole inputs, element by element", () => {
  const note = { name: "note", datatype: "BYTES" as const, shape: [2, 1], data: ["a", "b"] };
  expect(plan({ redact: { note: { kind: "hmac" } } })?.apply([note], hash)).toEqual([
    { ...note, data: ["#a", "#b"] },
  ]);
  expect(plan({ redact: { x: { kind: "drop" } } })?.apply([X, note], hash)).toEqual([note]);
});

it("apply() leaves the tensors it is given as they were", () => {
  const before = [...X.data];
  plan({ redact: { age: { kind: "mask" } } })?.apply([X], hash);
  expect([...X.data]).toEqual(before);
});

it("apply() leaves out an input that has other columns than expected, and one nobody knows", () => {
  const made = plan({ redact: { zip: { kind: "drop" } } });
  expect(made?.apply([fp32("x", [1, 2], [1, 2]), fp32("y", [1], [1])], hash)).toEqual([]);
});

it("apply() lets a redaction not bring back what is not allowed", () => {
  expect(plan({ fields: ["age"], redact: { zip: { kind: "hmac" } } })?.apply([X], hash)).toEqual([
    fp32("x", [2, 1], [37, 12]),
  ]);
  expect(plan({ fields: ["note"], redact: { x: { kind: "mask" } } })?.apply([X], hash)).toEqual([]);
});

it("policyOf() is empty without rules and the same whatever their order", () => {
  expect(policyOf({ fields: undefined, redact: {} })).toBe("");
  const a = policyOf({ fields: ["a", "b"], redact: { x: { kind: "drop" }, y: { kind: "mask" } } });
  const b = policyOf({ fields: ["b", "a"], redact: { y: { kind: "mask" }, x: { kind: "drop" } } });
  expect(a).toMatch(/^[0-9a-f]{8}$/);
  expect(a).toBe(b);
  expect(policyOf({ fields: ["a"], redact: {} })).not.toBe(policyOf({ fields: [], redact: {} }));
});
