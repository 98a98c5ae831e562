import { expect, it } from "vitest";
import { barPicture } from "./bar-picture.ts";

it.each([
  [0.5, undefined, "#####....."],
  [0.5, 0.8, "#####...|."],
  [1, 0, "|#########"],
  [-1, 2, ".........|"],
])("barPicture() fills %d with a mark at %s", (share, mark, picture) => {
  const place = mark === undefined ? {} : { mark };
  expect(barPicture(share, { cells: 10, isUnicode: false, ...place })).toBe(picture);
});
