import type { ObjectiveResult } from "../../core/load/load-report.ts";
import type { PageChartMark } from "./page-chart.ts";

const LATENCY_OBJECTIVE =
  /^\s*(p\d+(?:\.\d+)?|min|mean|max)\s*<=?\s*(\d+(?:\.\d+)?)\s*(us|µs|ms|s)\s*$/;

const MS_PER: Readonly<Record<string, number>> = { us: 0.001, µs: 0.001, ms: 1, s: 1000 };

/** Lines at the limits of objectives that are latencies, of these figures. */
export function objectiveMarks(
  objectives: readonly ObjectiveResult[],
  figures: readonly string[],
): PageChartMark[] {
  return objectives.flatMap(({ objective, met }) => {
    const [, figure = "", limit, unit = ""] = LATENCY_OBJECTIVE.exec(objective) ?? [];
    if (!figures.includes(figure)) return [];
    const at = Number(limit) * (MS_PER[unit] ?? 1);
    return [{ axis: "y" as const, at, label: objective, color: met ? "good" : "bad" }];
  });
}
