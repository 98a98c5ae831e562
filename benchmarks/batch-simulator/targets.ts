import type { Cell } from "./cells.ts";
import { POLICY_NAMES } from "./policies.ts";

/** What our scheduler should reach, and the cells in which it does not. */
export interface Target {
  readonly text: string;
  readonly misses: readonly string[];
}

/** Latencies may differ by this part, or by the smallest time worth a word. */
const LATENCY_NOISE = 0.05;
const LATENCY_MS_MIN = 0.05;

export function targetsOf(cells: readonly Cell[]): Target[] {
  return [
    target(
      "p50 and p99 within 5 % of greedy, at loads where greedy is never late",
      cells,
      (cell) => {
        const { Millrace: ours, greedy } = cell.outcomes;
        if (greedy.goodputPercent < 99.9) return undefined;
        const isSlower = (a: number, b: number): boolean =>
          a > b + Math.max(LATENCY_MS_MIN, LATENCY_NOISE * b);
        if (!isSlower(ours.p50Ms, greedy.p50Ms) && !isSlower(ours.p99Ms, greedy.p99Ms))
          return undefined;
        return `p50 ${ours.p50Ms.toFixed(2)} against ${greedy.p50Ms.toFixed(2)}, p99 ${ours.p99Ms.toFixed(2)} against ${greedy.p99Ms.toFixed(2)} ms`;
      },
    ),
    target(
      "goodput at twice the capacity is at least 90 % of the capacity (Poisson)",
      cells,
      (cell) => {
        if (cell.load !== 2 || cell.arrivals !== "Poisson") return undefined;
        const percent = cell.outcomes.Millrace.goodputPercent * cell.load;
        return percent >= 90 ? undefined : `${percent.toFixed(1)} %`;
      },
    ),
    target("goodput within 2 points of the best policy, everywhere", cells, (cell) => {
      const best = Math.max(...POLICY_NAMES.map((name) => cell.outcomes[name].goodputPercent));
      const points = best - cell.outcomes.Millrace.goodputPercent;
      return points <= 2 ? undefined : `${points.toFixed(1)} points less`;
    }),
    target("p99 of what is answered within the objective, everywhere", cells, (cell) => {
      const { p99Ms } = cell.outcomes.Millrace;
      return p99Ms <= cell.model.sloMs ? undefined : `${p99Ms.toFixed(1)} ms`;
    }),
  ];
}

function target(
  text: string,
  cells: readonly Cell[],
  missOf: (cell: Cell) => string | undefined,
): Target {
  const misses = cells.flatMap((cell) => {
    const miss = missOf(cell);
    return miss === undefined
      ? []
      : [`${cell.model.name} ${cell.arrivals} ${cell.load.toFixed(2)}: ${miss}`];
  });
  return { text, misses };
}
