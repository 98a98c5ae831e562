import { expect, test } from "vitest";
import { MillraceError } from "../errors.ts";
import { refuseNotFinite } from "./refuse-not-finite.ts";
import type { Tensor } from "./tensor.ts";

const bits: Tensor = { name: "h", datatype: "FP16", shape: [1], data: Uint16Array.of(0x7e00) };

function inputOf(value: number): Tensor {
  return { name: "x", datatype: "FP64", shape: [1, 2], data: Float64Array.of(1, value) };
}

test.each([NaN, Infinity, -Infinity])("refuseNotFinite() refuses %d, and says where", (value) => {
  const message = `found ${value}, which cannot be sent to this model: JSON has no such number`;
  let thrown: unknown;
  try {
    refuseNotFinite([bits, inputOf(value)]);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(MillraceError);
  expect(thrown).toMatchObject({
    code: "INVALID_TENSOR",
    message: `Cannot predict: input "x": ${message}`,
    problems: [{ location: ["inputs", "x", 1], message, type: "range" }],
  });
});

test("refuseNotFinite() lets every finite number pass", () => {
  expect(() => refuseNotFinite([inputOf(-Number.MAX_VALUE), inputOf(-0)])).not.toThrow();
});
