import { describe, expect, test } from "vitest";
import { TestRandom } from "../../core/test-random.ts";
import { fitAxes } from "./fit-axis.ts";

const PLAIN = { start: 0, border: 0, first: 0, step: 1 };

/** Of the sums of fractions. */
const ROUNDING = 1e-9;

describe("fitAxes()", () => {
  test("fitAxes() shrinks each axis by itself when fit is fill", () => {
    const { x, y } = fitAxes({ width: 400, height: 300 }, { width: 100, height: 150, fit: "fill" });
    expect(x).toEqual({ ...PLAIN, shrunk: 100, length: 100, covered: 100 });
    expect(y).toEqual({ ...PLAIN, shrunk: 150, length: 150, covered: 150 });
  });

  test("fitAxes() cuts the middle out of the longer axis when fit is cover", () => {
    const { x, y } = fitAxes(
      { width: 400, height: 200 },
      { width: 100, height: 100, fit: "cover" },
    );
    expect(x).toEqual({ ...PLAIN, shrunk: 200, start: 50, length: 100, covered: 100 });
    expect(y).toEqual({ ...PLAIN, shrunk: 100, length: 100, covered: 100 });
  });

  test("fitAxes() leaves borders beside the shorter axis when fit is contain", () => {
    const { x, y } = fitAxes(
      { width: 400, height: 200 },
      { width: 100, height: 100, fit: "contain" },
    );
    expect(x).toEqual({ ...PLAIN, shrunk: 100, length: 100, covered: 100 });
    expect(y).toEqual({ ...PLAIN, shrunk: 50, length: 50, covered: 50, border: 25 });
  });

  test("fitAxes() leaves one pixel of a picture that would vanish", () => {
    const { y } = fitAxes({ width: 10_000, height: 1 }, { width: 10, height: 10, fit: "contain" });
    expect(y).toMatchObject({ shrunk: 1, covered: 1, border: 4 });
  });

  test("fitAxes() stays inside picture and tensor, whatever their sizes", () => {
    const random = new TestRandom(11);
    const extent = (): number => 1 + random.below(random.below(2) === 0 ? 12 : 3_000);
    const broken: unknown[] = [];
    for (let i = 0; i < 20_000; i++) {
      const picture = { width: extent(), height: extent() };
      const fit = random.pick(["fill", "cover", "contain"] as const);
      const target = { width: extent(), height: extent(), fit };
      const { x } = fitAxes(picture, target);
      const { shrunk, start, length, border, covered, first, step } = x;
      const last = first + (covered - 1) * step;
      const isInside =
        shrunk <= picture.width &&
        length >= 1 &&
        start + length <= shrunk &&
        border + covered <= target.width &&
        (fit === "contain" || (border === 0 && covered === target.width)) &&
        // Every pixel that is looked at has been cut out, but for edges of the picture, which are repeated.
        (start === 0 || first > -ROUNDING) &&
        (start + length === shrunk || last < length - 1 + ROUNDING) &&
        last < length &&
        (step < 1 || covered === length);
      if (!isInside) broken.push({ picture, target, x });
    }
    expect(broken).toEqual([]);
  });
});
