import { expect, test } from "vitest";
import { elementCountOf, fitsShape } from "./tensor.ts";

test.each([
  [[], 1],
  [[2, 3], 6],
  [[0, 5], 0],
  [[2 ** 53 - 1], 2 ** 53 - 1],
  [[2 ** 32, 2 ** 32], undefined],
  [[2 ** 53], undefined],
  [[-1], undefined],
  [[1.5], undefined],
  [[NaN], undefined],
])("elementCountOf() of %j is %s", (shape, count) => {
  expect(elementCountOf(shape)).toBe(count);
});

test.each([
  [[2, 4], [-1, 4], true],
  [[0, 4], [-1, 4], true],
  [[2, 3], [-1, 4], false],
  [[2], [-1, 4], false],
  [[2, 4, 1], [-1, 4], false],
  [[], [], true],
])("fitsShape() of %j in %j is %s", (shape, spec, fits) => {
  expect(fitsShape(shape, spec)).toBe(fits);
});
