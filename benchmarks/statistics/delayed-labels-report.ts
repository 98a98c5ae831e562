import { tableSection } from "../markdown-table.ts";
import {
  DELAYED,
  DELAYED_SCENARIOS,
  simulateDelayedLabels,
  type DelayedOutcome,
} from "./delayed-labels.ts";
import { lineChart } from "./line-chart.ts";
import { percent, type Question } from "./question.ts";

const NAMES = { "so far": "converted so far / exposed so far", matured: "matured units" } as const;

export const DELAYED_LABELS: Question = {
  name: "delayed-labels",
  title: "Does it matter that labels come late?",
  answer() {
    const outcomes = simulateDelayedLabels();
    return {
      setting: DELAYED,
      outcome: outcomes,
      picture: picture(outcomes),
      report: [
        ...tableSection(
          "Differences that are not there",
          [
            "scenario",
            "analysis",
            "found at any look",
            "found at the last",
            "mean on day 10",
            "on day 28",
          ],
          outcomes.map(({ scenario, analysis, foundEver, foundLast, meanDifference }) => [
            scenario,
            NAMES[analysis],
            percent(foundEver),
            percent(foundLast),
            points(meanDifference[9]),
            points(meanDifference[27]),
          ]),
          `In both arms ${percent(DELAYED.rate)} of the units convert within ${DELAYED.windowDays} days of their exposure. ${DELAYED.runs.toLocaleString("en-US")} runs of ${DELAYED.days} days; "at any look": the confidence sequence at the end of a day, "at the last": Welch's test on day ${DELAYED.days} alone; means of the difference in points.`,
        ),
        `Matured units were exposed at least ${DELAYED.windowDays} days ago, so that every one of them had the same time to convert. Dividing what converted so far by who was exposed so far compares how fast labels come, or how old the units of an arm are, and no statistics above it make that good.`,
      ],
    };
  },
};

function points(difference: number | null | undefined): string {
  return typeof difference === "number" ? (100 * difference).toFixed(2) : "–";
}

function picture(outcomes: readonly DelayedOutcome[]): string {
  const panels = Object.keys(DELAYED_SCENARIOS).map((scenario) => ({
    title: scenario,
    xLabel: "day",
    yLabel: "mean difference, points",
    xTicks: [0, 7, 14, 21, 28],
    yTicks: [-6, -4, -2, 0, 2],
    lines: (["matured", "so far"] as const).map((analysis) => ({
      name: NAMES[analysis],
      points: outcomes
        .find((outcome) => outcome.scenario === scenario && outcome.analysis === analysis)!
        .meanDifference.map(
          (value, day) => [day + 1, value === null ? null : 100 * value] as const,
        ),
    })),
    mark: { y: 0, text: "the truth" },
  }));
  return lineChart("Mean difference of two arms that do not differ", panels);
}
