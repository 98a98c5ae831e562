import { MillraceError } from "../core/errors.ts";
import { calibration } from "../core/stats/calibration.ts";
import { classificationReport } from "../core/stats/classification-report.ts";
import { ConfusionMatrix } from "../core/stats/confusion-matrix.ts";
import type { Estimate } from "../core/stats/interval.ts";
import { meanEstimate } from "../core/stats/mean-estimate.ts";
import { regressionReport, type RegressionReport } from "../core/stats/regression-report.ts";
import type { QueryEngine } from "../ports/query-engine.ts";
import { confusionSql, probabilitiesSql } from "./classification-sql.ts";
import { groupCountsSql, labelCountsSql } from "./counts-sql.ts";
import type {
  ClassificationResult,
  Evaluation,
  GroupCounts,
  GroupEvaluation,
  ProbabilityResult,
} from "./evaluation.ts";
import type { EvaluationRequest } from "./evaluation-request.ts";
import { GROUPS_MAX, joinedSql, type JoinedSql } from "./joined-sql.ts";
import { regressionSql } from "./regression-sql.ts";
import { resultRows, type ResultRow } from "./result-rows.ts";

/** Rows of one query: pairs of labels in all groups. */
const ROWS_MAX = 100_000;

/**
 * Joins the predictions of a service with their labels and says how good they were. Everything that is heavy happens in
 * the engine; what comes back is bounded by the number of groups and classes.
 * @throws what the engine throws; QUERY_TOO_LARGE when there are too many classes.
 */
export async function evaluateService(
  engine: QueryEngine,
  request: EvaluationRequest,
): Promise<Evaluation> {
  const joined = joinedSql(request);
  const ask = (sql: (joined: JoinedSql) => string): Promise<readonly ResultRow[]> =>
    askFor(engine, sql(joined), joined.parameters);
  const [totals] = await ask(labelCountsSql);
  const counts = await ask(groupCountsSql);
  const count = (name: string): number => totals?.number(name) ?? 0;
  const labelled = count("labelled");
  const isRegression = labelled > 0 && count("numbers") === labelled;
  const confusion = isRegression || labelled === 0 ? [] : await ask(confusionSql);
  const probabilities = confusion.length === 0 ? [] : await ask(probabilitiesSql);
  const sums = isRegression ? await ask(regressionSql) : [];
  const { by, countMin } = request;
  const parts = {
    confusion: byGroup(confusion, by),
    probabilities: byGroup(probabilities, by),
    sums: byGroup(sums, by),
  };
  const all = counts.slice(0, GROUPS_MAX).map((row) => groupOf(row, by, parts));
  const groups = all.filter((group) => group.counts.labelled >= countMin);
  return {
    request,
    kind: isRegression ? "regression" : confusion.length > 0 ? "classification" : undefined,
    labels: { matched: count("matched"), late: count("late"), unmatched: count("unmatched") },
    groups,
    smallGroupCount: all.length - groups.length,
    isCut: counts.length > GROUPS_MAX,
  };
}

async function askFor(
  engine: QueryEngine,
  sql: string,
  parameters: JoinedSql["parameters"],
): Promise<readonly ResultRow[]> {
  const order = {
    sql,
    parameters,
    format: "json",
    rowsMax: ROWS_MAX,
    timeoutMs: undefined,
  } as const;
  const result = await engine.query(order);
  if (!result.isCut) return resultRows(result);
  throw new MillraceError(
    "QUERY_TOO_LARGE",
    `Cannot evaluate: there are more than ${ROWS_MAX} pairs of labels, group by less or label with fewer classes`,
  );
}

type RowsByGroup = ReadonlyMap<string, readonly ResultRow[]>;

function valuesOf(row: ResultRow, by: readonly string[]): string[] {
  return by.map((_, index) => row.text(`g${index}`));
}

function byGroup(rows: readonly ResultRow[], by: readonly string[]): RowsByGroup {
  return Map.groupBy(rows, (row) => JSON.stringify(valuesOf(row, by)));
}

interface Parts {
  readonly confusion: RowsByGroup;
  readonly probabilities: RowsByGroup;
  readonly sums: RowsByGroup;
}

function groupOf(row: ResultRow, by: readonly string[], parts: Parts): GroupEvaluation {
  const values = valuesOf(row, by);
  const key = JSON.stringify(values);
  const counts = countsOf(row);
  const classification = classificationOf(
    parts.confusion.get(key) ?? [],
    parts.probabilities.get(key) ?? [],
  );
  const regression = regressionOf(parts.sums.get(key)?.[0]);
  const compared = classification?.matrix.count ?? regression?.count ?? 0;
  return { values, counts, incomparable: counts.labelled - compared, classification, regression };
}

function countsOf(row: ResultRow): GroupCounts {
  const labelled = row.number("labelled");
  const seconds = (column: string): number => row.number(column) / 1e6;
  return {
    predictions: row.number("predictions"),
    weight: row.number("weight"),
    labelled,
    lateOnly: row.number("late_only"),
    delaySeconds:
      labelled === 0 ? undefined : { p50: seconds("delay_p50_us"), p90: seconds("delay_p90_us") },
  };
}

function classificationOf(
  cells: readonly ResultRow[],
  bins: readonly ResultRow[],
): ClassificationResult | undefined {
  const matrix = new ConfusionMatrix(
    cells.map((row) => ({
      actual: row.text("actual"),
      predicted: row.text("predicted"),
      count: row.number("count"),
      weight: row.number("weight"),
      weightSquares: row.number("weight_squares"),
    })),
  );
  const report = classificationReport(matrix);
  return report && { matrix, report, probabilities: probabilitiesOf(bins) };
}

function probabilitiesOf(bins: readonly ResultRow[]): ProbabilityResult | undefined {
  const found = calibration(
    bins.map((row) => ({
      index: row.number("bin"),
      count: row.number("count"),
      weight: row.number("weight"),
      weightSquares: row.number("weight_squares"),
      confidence: row.number("confidence"),
      right: row.number("right"),
    })),
  );
  const total = (column: string): number => bins.reduce((sum, row) => sum + row.number(column), 0);
  /** Of losses, which are never negative. */
  const mean = (name: string): Estimate | undefined => {
    const estimate = meanEstimate({
      weight: total("scored_weight"),
      weightSquares: total("scored_weight_squares"),
      sum: total(name),
      squares: total(`${name}_squares`),
    });
    if (estimate === undefined) return undefined;
    const { low, high } = estimate.interval;
    return { value: estimate.value, interval: { low: Math.max(0, low), high } };
  };
  return (
    found && {
      calibration: found,
      logLoss: mean("loss"),
      brier: mean("brier"),
      scored: total("scored"),
    }
  );
}

function regressionOf(row: ResultRow | undefined): RegressionReport | undefined {
  if (row === undefined) return undefined;
  return regressionReport({
    count: row.number("count"),
    weight: row.number("weight"),
    weightSquares: row.number("weight_squares"),
    error: row.number("error"),
    absolute: row.number("absolute"),
    square: row.number("square"),
    fourth: row.number("fourth"),
    spread: row.number("spread"),
    spreadFourth: row.number("spread_fourth"),
    cross: row.number("cross"),
  });
}
