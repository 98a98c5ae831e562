import { rounded, tableSection } from "../markdown-table.ts";
import { lineChart } from "./line-chart.ts";
import { POWER, POWER_METHODS, simulatePower, type PowerOutcome } from "./power.ts";
import { percent, type Question } from "./question.ts";

export const POWER_QUESTION: Question = {
  name: "power",
  title: "What does it cost, in units, to be allowed to look at any time?",
  answer() {
    const outcomes = simulatePower();
    const units = POWER.fixedUnits.toLocaleString("en-US");
    return {
      setting: POWER,
      outcome: outcomes,
      picture: picture(outcomes),
      report: [
        ...POWER.effects.flatMap((effect) => effectTable(effect, outcomes)),
        `The fixed sample and O'Brien–Fleming end at ${units} units per arm, which is what an effect of 2 points asks for with power 80 %; the sequential tests look every ${POWER.unitsPerLook} units per arm and give up at ${POWER.unitsMax.toLocaleString("en-US")}. Units are those per arm at the decision, or at giving up. ${POWER.runs.toLocaleString("en-US")} runs each; ${percent(POWER.rate)} of the control arm converts.`,
        "",
        "Who knows the effect beforehand needs fewer units with a fixed sample; with a larger effect than planned a sequential test is done sooner, and with a smaller one it still finds it, later. It is the default because nobody has to promise not to look.",
      ],
    };
  },
};

function effectTable(effect: number, outcomes: readonly PowerOutcome[]): string[] {
  const title = effect === 0 ? "No effect" : `Effect of ${(100 * effect).toFixed(1)} points`;
  return tableSection(
    title,
    [
      "method",
      "found",
      "found by the plan's units",
      "wrong direction",
      "units: mean",
      "p50",
      "p90",
    ],
    outcomes
      .filter((outcome) => outcome.effect === effect)
      .map(({ method, found, foundByPlan, foundWrong, units }) => [
        method,
        percent(found),
        percent(foundByPlan),
        foundWrong === undefined ? "–" : percent(foundWrong),
        rounded(Math.round(units.mean)),
        rounded(Math.round(units.p50)),
        rounded(Math.round(units.p90)),
      ]),
  );
}

function picture(outcomes: readonly PowerOutcome[]): string {
  const linesOf = (value: (outcome: PowerOutcome) => number) =>
    POWER_METHODS.map((method) => ({
      name: method,
      points: outcomes
        .filter((outcome) => outcome.method === method)
        .map((outcome) => [100 * outcome.effect, value(outcome)] as const),
    }));
  return lineChart(POWER_QUESTION.title, [
    {
      title: "Power",
      xLabel: "effect, points",
      yLabel: "% of runs that found a difference",
      xTicks: [0, 1, 2, 3, 4],
      yTicks: [0, 20, 40, 60, 80, 100],
      lines: linesOf(({ found }) => 100 * found),
      mark: { y: 5, text: "5 %" },
    },
    {
      title: "Time to the decision",
      xLabel: "effect, points",
      yLabel: "mean units per arm",
      xTicks: [0, 1, 2, 3, 4],
      yTicks: [0, 4_000, 8_000, 12_000, 16_000],
      lines: linesOf(({ units }) => units.mean),
    },
  ]);
}
