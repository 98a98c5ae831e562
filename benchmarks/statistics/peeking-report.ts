import { crossingProbability } from "../../packages/millrace/src/core/stats/crossing-probability.ts";
import { normalQuantile } from "../../packages/millrace/src/core/stats/normal-quantile.ts";
import { tableSection } from "../markdown-table.ts";
import { lineChart } from "./line-chart.ts";
import {
  PEEKING,
  PEEKING_LATER,
  PEEKING_METHODS,
  simulatePeeking,
  type PeekingMethod,
  type PeekingSetting,
  type PeekingShares,
} from "./peeking.ts";
import { percent, type Question } from "./question.ts";

const NAMES: Readonly<Record<PeekingMethod, string>> = {
  naive: "test for one look, 200 times",
  sequence: "confidence sequence",
  mixture: "mSPRT, τ² 0.0001",
};

export const PEEKING_QUESTION: Question = {
  name: "peeking",
  title: "How often does who looks 200 times find a difference that is not there?",
  answer() {
    const shares = simulatePeeking(PEEKING);
    const later = simulatePeeking(PEEKING_LATER);
    const exact = crossingProbability(
      new Array<number>(PEEKING.looks).fill(normalQuantile(1 - PEEKING.alpha / 2)),
    );
    return {
      setting: { first: PEEKING, later: PEEKING_LATER },
      outcome: { first: shares, later, exactNaive: exact },
      picture: picture(shares),
      report: [
        ...tableSection(
          "False alarms of two arms that do not differ",
          ["method", "first look at 100 units per arm", "first look at 500 units per arm"],
          PEEKING_METHODS.map((method) => [
            NAMES[method],
            percent(shares[method].at(-1)!),
            percent(later[method].at(-1)!),
          ]),
          `Share of ${PEEKING.runs.toLocaleString("en-US")} runs in which p < ${PEEKING.alpha} at any of ${PEEKING.looks} looks, up to 20,000 units per arm, 10 % of which convert in both arms.`,
        ),
        `The first row is no accident: of a normal variable looked at ${PEEKING.looks} times at equal distances, integrated exactly, it is ${percent(exact)}. A sequential test that found more than 5 % would be broken; that it finds fewer is the price of being right at every look, and not at 200 only.`,
      ],
    };
  },
};

function picture(shares: PeekingShares): string {
  return lineChart(PEEKING_QUESTION.title, [
    {
      title: "False alarms, A/A",
      xLabel: "units per arm seen so far",
      yLabel: "% of runs",
      xTicks: [0, 5_000, 10_000, 15_000, 20_000],
      yTicks: [0, 10, 20, 30, 40, 50],
      lines: linesOf(PEEKING, shares),
      mark: { y: 5, text: "5 %" },
    },
    {
      title: "The same, near 5 %",
      xLabel: "units per arm seen so far",
      yLabel: "% of runs",
      xTicks: [0, 5_000, 10_000, 15_000, 20_000],
      yTicks: [0, 1, 2, 3, 4, 5, 6],
      lines: linesOf(PEEKING, shares).slice(1),
      mark: { y: 5, text: "5 %" },
    },
  ]);
}

function linesOf(setting: PeekingSetting, shares: PeekingShares) {
  return PEEKING_METHODS.map((method) => ({
    name: NAMES[method],
    points: shares[method].map(
      (share, look) => [setting.unitsFirst + look * setting.unitsPerLook, 100 * share] as const,
    ),
  }));
}
