import { expect, it } from "vitest";
import { figure, percentFigure, pointsFigure, pValueFigure, signedFigure } from "./figures.ts";

it.each([
  [0.125, "12.5 %"],
  [0.99954, "99.95 %"],
  [0.00001234, "0.0012 %"],
  [0, "0 %"],
  [1, "100 %"],
])("percentFigure() writes %d", (share, text) => {
  expect(percentFigure(share)).toBe(text);
});

it("pointsFigure() and signedFigure() say which way", () => {
  expect([pointsFigure(0.0021), pointsFigure(-0.01), pointsFigure(0)]).toEqual([
    "+0.21 pp",
    "-1 pp",
    "0 pp",
  ]);
  expect([signedFigure(1234.5), signedFigure(-0.12345)]).toEqual(["+1,235", "-0.1235"]);
});

it("figure() and pValueFigure() keep the digits that say something", () => {
  expect([figure(12.3456), figure(98_765.4), figure(0.000123456)]).toEqual([
    "12.35",
    "98,765",
    "0.0001235",
  ]);
  expect([pValueFigure(0.05), pValueFigure(0.02134), pValueFigure(1e-9), pValueFigure(1)]).toEqual([
    "0.05",
    "0.021",
    "<0.0001",
    "1",
  ]);
});
