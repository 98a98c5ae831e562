import { expect, it } from "vitest";
import { intervalPicture } from "./interval-picture.ts";

const UNICODE = { cells: 21, isUnicode: true };

it.each([
  [{ low: -5, value: 2, high: 10 }, "     ├────┼─●───────┤"],
  [{ low: 2, value: 6, high: 10 }, "          │ ├───●───┤"],
  [{ low: -10, value: -6, high: -2 }, "├───●───┤ │          "],
  [{ low: null, value: -1, high: 5 }, "◄───────●─┼─────────┤"],
  [{ low: -4, value: 1, high: null }, "├─────────┼──●──────►"],
  [{ low: 2, value: 8, high: null }, "          │ ├─────●─►"],
  [{ low: 0, value: 0, high: 0 }, "          ●          "],
])("intervalPicture() draws %j with no difference in the middle", (interval, picture) => {
  expect(intervalPicture(interval, UNICODE)).toBe(picture);
});

it("intervalPicture() draws in ASCII where nothing else can be shown", () => {
  const picture = intervalPicture(
    { low: null, value: 1, high: 5 },
    { cells: 11, isUnicode: false },
  );
  expect(picture).toBe("<----+o---]");
});
