import { POLICIES, POLICY_NAMES, type PolicyName } from "./policies.ts";
import { simulate, type Outcome } from "./simulate.ts";
import { capacityPerS, type ArrivalKind, type SimulatedModel } from "./workload.ts";

/** Times of two multi-layer perceptrons in onnxruntime on one thread: 512 wide with 4 layers, and one much larger. */
export const MID: SimulatedModel = {
  name: "mid",
  perRowMs: 0.025,
  fixedMs: 0.28,
  rowsMax: 32,
  sloMs: 20,
};
const BIG: SimulatedModel = {
  name: "big",
  perRowMs: 0.3,
  fixedMs: 8,
  rowsMax: 32,
  sloMs: 100,
};

/** One kind of traffic to one model, over all loads. */
export interface Series {
  readonly model: SimulatedModel;
  readonly arrivals: ArrivalKind;
}

export const SERIES: readonly Series[] = [
  { model: MID, arrivals: "Poisson" },
  { model: MID, arrivals: "bursty" },
  { model: BIG, arrivals: "Poisson" },
  { model: BIG, arrivals: "bursty" },
];

/** Offered requests as parts of what full batches get done. */
export const LOADS = [0.02, 0.1, 0.3, 0.6, 0.9, 1.1, 1.5, 2] as const;

const SEED = 1;

/** One workload under every policy. */
export interface Cell extends Series {
  readonly load: number;
  readonly outcomes: Readonly<Record<PolicyName, Outcome>>;
}

export function simulateCell(series: Series, load: number): Cell {
  const durationMs = load * capacityPerS(series.model) > 8000 ? 6_000 : 20_000;
  const workload = { ...series, load, durationMs, seed: SEED };
  const entries = POLICY_NAMES.map((name) => [name, simulate(workload, POLICIES[name])] as const);
  return {
    ...series,
    load,
    outcomes: Object.fromEntries(entries) as Record<PolicyName, Outcome>,
  };
}
