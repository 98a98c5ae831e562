import { expect, it } from "vitest";
import { twoProportionTest } from "./two-proportion-test.ts";

it.each([
  { control: 100, arm: 130, count: 1_000, variance: "pooled", z: 2.102741, p: 0.035488 },
  { control: 100, arm: 130, count: 1_000, variance: "unpooled", z: 2.105069, p: 0.035285 },
  { control: 200, arm: 250, count: 10_000, variance: "pooled", z: 2.383995, p: 0.017126 },
  { control: 200, arm: 250, count: 10_000, variance: "unpooled", z: 2.384334, p: 0.01711 },
] as const)("twoProportionTest() of $control and $arm, $variance, has z = $z and p = $p", (row) => {
  const { count, variance } = row;
  const found = twoProportionTest(
    { successes: row.control, count },
    { successes: row.arm, count },
    variance,
  );
  expect(found.z).toBeCloseTo(row.z, 6);
  expect(found.pValue).toBeCloseTo(row.p, 6);
});

it("twoProportionTest() is below 0 when the arm does it less often, with the same p-value", () => {
  const few = { successes: 100, count: 1_000 };
  const many = { successes: 130, count: 900 };
  expect(twoProportionTest(many, few).z).toBe(-twoProportionTest(few, many).z);
  expect(twoProportionTest(many, few).pValue).toBe(twoProportionTest(few, many).pValue);
});

it("twoProportionTest() finds nothing when nothing varies, or there is nobody", () => {
  const nobody = { successes: 0, count: 0 };
  const none = { successes: 0, count: 10 };
  for (const control of [none, nobody]) {
    expect(twoProportionTest(control, none)).toEqual({ z: 0, pValue: 1 });
    expect(twoProportionTest(control, none, "unpooled")).toEqual({ z: 0, pValue: 1 });
  }
});
