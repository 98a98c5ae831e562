import { expect, it } from "vitest";
import { fromBfloat, fromHalf } from "./half-float.ts";

it.each([
  [0x0000, 0],
  [0x8000, -0],
  [0x3c00, 1],
  [0xc000, -2],
  [0x3555, 0.333251953125],
  [0x0001, 2 ** -24],
  [0x7bff, 65504],
  [0x7c00, Infinity],
  [0xfc00, -Infinity],
  [0x7e00, NaN],
])("fromHalf() reads 0x%s as %d", (bits, value) => {
  expect(fromHalf(bits)).toBe(value);
});

it("fromBfloat() reads the upper half of every FP32 number", () => {
  const float = new Float32Array(1);
  const halves = new Uint16Array(float.buffer);
  for (let bits = 0; bits < 0x1_0000; bits++) {
    halves[1] = bits;
    expect(fromBfloat(bits)).toBe(float[0]);
  }
});
