import { chartSvg } from "../bar-chart.ts";
import { rounded, tableSection } from "../markdown-table.ts";
import { percent, type Question } from "./question.ts";
import { RARE, simulateRareErrors, type RareOutcome } from "./rare-errors.ts";

export const RARE_ERRORS: Question = {
  name: "rare-errors",
  title: "Can a guardrail be trusted when there are hardly any errors?",
  answer() {
    const outcomes = simulateRareErrors();
    return {
      setting: RARE,
      outcome: outcomes,
      picture: picture(outcomes),
      report: [
        ...tableSection(
          `Control arm with ${percent(RARE.rate)} errors, margin ${percent(RARE.margin)}`,
          [
            "errors of the arm",
            "variance by",
            "held worse",
            "held regressed",
            "held safe",
            "units to regressed",
            "units to safe",
          ],
          outcomes.map((outcome) => [
            percent(outcome.armRate),
            outcome.summary,
            percent(outcome.worse),
            percent(outcome.regressed),
            percent(outcome.safe),
            rounded(outcome.unitsToRegressed ?? NaN),
            rounded(outcome.unitsToSafe ?? NaN),
          ]),
          `Share of ${RARE.runs.toLocaleString("en-US")} runs in which one-sided confidence sequences said so at any of ${RARE.looks} looks, every ${RARE.unitsPerLook} units per arm; regressed is worse by more than the margin, safe worse by less. Units are the median per arm at the first look that said so, – where most runs never did. A unit has 1 to ${RARE.requestsMax} requests.`,
        ),
        "In the first two rows every *worse* and *regressed* is a false alarm, in the next two every *regressed* and every *safe*: the arm lies on the margin. `ratioSummary` knows no variance where it has seen no error, and calls safe too soon; `shareSummary` takes some hundred units more and stays far below 5 %.",
      ],
    };
  },
};

function picture(outcomes: readonly RareOutcome[]): string {
  const panels = RARE.armRates.flatMap((armRate) =>
    (["safe", "regressed"] as const).map((state) => ({
      title: `Held ${state}, arm with ${percent(armRate)} errors`,
      fullValue: 1,
      bars: outcomes
        .filter((outcome) => outcome.armRate === armRate)
        .map((outcome) => ({
          label: outcome.summary,
          value: outcome[state],
          text: percent(outcome[state]),
          isOurs: outcome.summary === "shareSummary",
        })),
    })),
  );
  return chartSvg(RARE_ERRORS.title, panels);
}
