import {
  OBJECTIVE_FIGURES,
  unitOf,
  type Comparison,
  type Objective,
  type ObjectiveFigure,
} from "../core/load/objective.ts";
import { parseGoDuration } from "../core/load/parse-go-duration.ts";
import { parseRate } from "../core/load/parse-rate.ts";
import { LoadInputError } from "./load-input-error.ts";

/** `p99<50ms`, with spaces or without. */
const OBJECTIVE = /^([a-z][a-z\d.]*)\s*(<=|>=|<|>)\s*(\S+)$/;

const PERCENT = /^(\d+(?:\.\d+)?)%$/;

const OBJECTIVES_MAX = 100;

/** Where nobody says how many errors are too many: what fails quickly would count as a fast answer. */
const ERRORS_DEFAULT = "errors<0.1%";

const EXAMPLES = { time: "50ms", share: "0.1%", rate: "500/s" } as const;

/** @param text comma between them: `p99<50ms,errors<0.1%`. @throws LoadInputError */
export function parseObjectives(text: string): readonly Objective[] {
  const objectives = text.split(",").map((part) => parseObjective(part.trim()));
  if (objectives.length <= OBJECTIVES_MAX) return objectives;
  throw new LoadInputError(
    `--slo: at most ${OBJECTIVES_MAX} objectives, found ${objectives.length}`,
  );
}

/** @returns the objectives, with one on errors where none is. */
export function withErrorLimit(objectives: readonly Objective[]): readonly Objective[] {
  const hasErrors = objectives.some(({ figure }) => unitOf(figure) === "share");
  return hasErrors ? objectives : [...objectives, ...parseObjectives(ERRORS_DEFAULT)];
}

function parseObjective(text: string): Objective {
  const [, name = "", comparison, value = ""] = OBJECTIVE.exec(text) ?? [];
  if (comparison === undefined) {
    throw new LoadInputError(
      `--slo: expected objectives like p99<50ms,errors<0.1%, with <, <=, > or >=, found ${JSON.stringify(text)}`,
    );
  }
  const figure = OBJECTIVE_FIGURES.find((candidate) => candidate === name);
  if (figure === undefined) {
    throw new LoadInputError(
      `--slo: expected one of ${OBJECTIVE_FIGURES.join(", ")}, found ${JSON.stringify(name)}`,
    );
  }
  const limit = parseLimit(figure, value);
  return {
    text: `${name}${comparison}${value}`,
    figure,
    comparison: comparison as Comparison,
    limit,
  };
}

function parseLimit(figure: ObjectiveFigure, text: string): number {
  const unit = unitOf(figure);
  const limit = PARSE_LIMIT[unit](text);
  if (limit !== undefined) return limit;
  throw new LoadInputError(
    `--slo: expected ${figure} with a limit like ${EXAMPLES[unit]}, found ${JSON.stringify(text)}`,
  );
}

/** Only in the unit itself: nobody can tell whether `errors<1` is one in a hundred. */
const PARSE_LIMIT = {
  time: parseGoDuration,
  share: parsePercent,
  rate: parseRate,
} as const;

/** The decimal point is moved in the text: 0.7 / 100 is not the double nearest to 0.007, and 7 of 1,000 is. */
function parsePercent(text: string): number | undefined {
  const share = Number(`${PERCENT.exec(text)?.[1] ?? ""}e-2`);
  return share <= 1 ? share : undefined;
}
