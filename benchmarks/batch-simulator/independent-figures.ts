import type { PolicyName } from "./policies.ts";

/** What another simulation of the same rules, written apart from this one, found. */
export interface IndependentFigure {
  readonly model: string;
  readonly arrivals: string;
  readonly load: number;
  readonly policy: PolicyName;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly goodputPercent: number;
}

const POLICIES: readonly PolicyName[] = ["greedy", "CORK", "early drop"];

/** p50/p99 in milliseconds and goodput in percent, in the order of `POLICIES`. */
const TABLE = `
mid Poisson 0.02 | 0.3/0.6 100 | 0.3/0.6 100 | 0.3/0.6 100
mid Poisson 0.1 | 0.4/0.7 100 | 0.4/0.7 100 | 0.4/0.7 100
mid Poisson 0.3 | 0.6/0.9 100 | 0.6/0.9 100 | 0.6/0.9 100
mid Poisson 0.6 | 0.8/1.3 100 | 0.8/1.3 100 | 0.8/1.3 100
mid Poisson 0.9 | 1.3/2.5 100 | 1.3/2.5 100 | 1.3/2.5 100
mid Poisson 1.1 | 67.9/69.9 2.9 | 11.4/12.3 90.9 | 19.0/19.9 90.7
mid Poisson 1.5 | 68.2/70.2 0.6 | 10.1/10.8 66.7 | 19.2/20.0 66.4
mid Poisson 2 | 68.3/70.3 0.3 | 8.7/9.4 50.0 | 19.2/20.0 49.7
mid bursty 0.1 | 0.5/0.8 100 | 0.5/0.8 100 | 0.5/0.8 100
mid bursty 0.3 | 0.8/1.7 100 | 0.8/1.7 100 | 0.8/1.7 100
mid bursty 0.6 | 24.1/69.9 43.3 | 9.2/13.5 81.3 | 10.9/19.9 82.2
mid bursty 0.9 | 26.7/70.0 34.3 | 1.0/13.8 65.9 | 1.2/19.9 66.2
mid bursty 1.1 | 24.2/70.2 32.0 | 1.0/13.0 60.5 | 1.0/19.9 60.9
big Poisson 0.02 | 8.7/17.5 100 | 10.2/17.3 100 | 8.7/17.5 100
big Poisson 0.3 | 14.7/21.5 100 | 14.7/21.4 100 | 14.7/21.5 100
big Poisson 0.9 | 24.8/40.9 100 | 24.8/41.0 100 | 24.8/40.9 100
big Poisson 1.1 | 1004/1133 2.8 | 65.8/77.1 90.9 | 88.4/100.3 89.8
big Poisson 1.5 | 1109/1140 0.7 | 62.0/71.7 66.5 | 91.1/101.0 64.6
big Poisson 2 | 1111/1142 0.4 | 57.0/65.0 49.9 | 91.2/101.2 48.2
big bursty 0.6 | 49.2/132.4 86.1 | 40.1/85.7 92.5 | 41.4/98.8 93.4
big bursty 0.9 | 133/287 37.9 | 37.8/84.5 74.0 | 40.1/100.3 73.8
big bursty 1.1 | 905/1125 0.6 | 33.9/83.3 67.1 | 38.7/100.1 67.3
`;

export function independentFigures(): IndependentFigure[] {
  return TABLE.trim()
    .split("\n")
    .flatMap((line) => {
      const [head = "", ...cells] = line.split(" | ");
      const [model = "", arrivals = "", load = ""] = head.split(" ");
      return cells.map((cell, i) => {
        const [p50Ms = NaN, p99Ms = NaN, goodputPercent = NaN] = cell.split(/[/ ]/u).map(Number);
        const policy = POLICIES[i] ?? "greedy";
        return { model, arrivals, load: Number(load), policy, p50Ms, p99Ms, goodputPercent };
      });
    });
}
