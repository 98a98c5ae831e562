import { chartSvg } from "../bar-chart.ts";
import { tableSection } from "../markdown-table.ts";
import { percent, type Question } from "./question.ts";
import { SIMPSON, simulateSimpson, type SimpsonOutcome } from "./simpson.ts";

export const SIMPSON_QUESTION: Question = {
  name: "simpson",
  title: "May units be added up over a ramp?",
  answer() {
    const outcomes = simulateSimpson();
    return {
      setting: SIMPSON,
      outcome: outcomes,
      picture: picture(outcomes),
      report: [
        ...SIMPSON.effects.flatMap((effect) => effectTable(effect, outcomes)),
        `Five phases in which ${SIMPSON.rates.map((rate) => percent(rate)).join(", ")} of the control arm convert. A ramp by weight gives the arm ${SIMPSON.weights.map((share) => percent(share)).join(", ")} of 10,000 units: most of its units come late, when everybody converts more, most of the control arm's early. A ramp by coverage lets ${SIMPSON.coverage.map((share) => percent(share)).join(", ")} take part, half of them in each arm. One look at the end, Welch's test, ${SIMPSON.runs.toLocaleString("en-US")} runs; differences in points.`,
        "",
        "Hence the ramp raises coverage, and what is measured under different weights is compared within each phase and combined by inverse variance.",
      ],
    };
  },
};

function effectTable(effect: number, outcomes: readonly SimpsonOutcome[]): string[] {
  return tableSection(
    effect === 0 ? "No effect" : `Effect of ${(100 * effect).toFixed(1)} points`,
    ["analysis", "mean difference", "standard error", "found", "intervals that hold the truth"],
    outcomes
      .filter((outcome) => outcome.effect === effect)
      .map(({ method, meanDifference, meanStandardError, found, held }) => [
        method,
        (100 * meanDifference).toFixed(2),
        (100 * meanStandardError).toFixed(2),
        percent(found),
        percent(held),
      ]),
  );
}

function picture(outcomes: readonly SimpsonOutcome[]): string {
  const panels = SIMPSON.effects.map((effect) => ({
    title: `Intervals that hold the true effect, ${percent(effect)}`,
    fullValue: 1,
    bars: outcomes
      .filter((outcome) => outcome.effect === effect)
      .map(({ method, held }) => ({
        label: method
          .replace(" ramped, units added up", ", added up")
          .replace(" ramped, combined over phases", ", by phase"),
        value: held,
        text: percent(held),
        isOurs: method.includes("combined"),
      })),
  }));
  return chartSvg(SIMPSON_QUESTION.title, panels);
}
