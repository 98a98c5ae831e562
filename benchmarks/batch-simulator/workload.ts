import { TestRandom } from "../../packages/millrace/src/core/test-random.ts";

/** A model on one executor: a run of n rows takes `perRowMs * n + fixedMs`, with noise. */
export interface SimulatedModel {
  readonly name: string;
  readonly perRowMs: number;
  readonly fixedMs: number;
  /** Most rows of a batch. */
  readonly rowsMax: number;
  /** A reply later than this after the arrival counts for nothing. */
  readonly sloMs: number;
}

export type ArrivalKind = "Poisson" | "bursty";

export interface Workload {
  readonly model: SimulatedModel;
  readonly arrivals: ArrivalKind;
  /** Offered requests as a part of what full batches get done. */
  readonly load: number;
  /** How long requests come; all that were accepted are finished afterwards. */
  readonly durationMs: number;
  readonly seed: number;
}

/** Standard deviation of the logarithm of a run's time. */
const NOISE = 0.08;

/** A burst is every fourth slot. */
const SLOT_MS = 200;
const SLOT_RATES = [2.5, 0.5, 0.5, 0.5] as const;

export function meanRunMs({ perRowMs, fixedMs }: SimulatedModel, rows: number): number {
  return perRowMs * rows + fixedMs;
}

/** Requests a second that full batches get done. */
export function capacityPerS(model: SimulatedModel): number {
  return (1000 * model.rowsMax) / meanRunMs(model, model.rowsMax);
}

/** Times of runs, the same sequence of noise for every policy. */
export class RunTimes {
  readonly #model: SimulatedModel;
  readonly #random: TestRandom;

  constructor({ model, seed }: Workload) {
    this.#model = model;
    this.#random = new TestRandom(seed + 1);
  }

  /** Log-normal around the model's time, which is its mean. */
  next(rows: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.#random.next()));
    const normal = radius * Math.cos(2 * Math.PI * this.#random.next());
    return meanRunMs(this.#model, rows) * Math.exp(NOISE * normal - NOISE ** 2 / 2);
  }
}

/** When requests come, in milliseconds and in order; Infinity after the last one. */
export class Arrivals {
  readonly #workload: Workload;
  readonly #perMs: number;
  readonly #random: TestRandom;
  #lastMs = 0;

  constructor(workload: Workload) {
    this.#workload = workload;
    this.#perMs = (workload.load * capacityPerS(workload.model)) / 1000;
    this.#random = new TestRandom(workload.seed);
  }

  next(): number {
    const { arrivals, durationMs } = this.#workload;
    let atMs = this.#lastMs;
    // A Poisson process forgets: where the rate changes, the draw begins anew.
    for (let slot = Math.floor(atMs / SLOT_MS); ; slot++) {
      const rate = arrivals === "bursty" ? (SLOT_RATES[slot % SLOT_RATES.length] ?? 1) : 1;
      atMs -= Math.log(1 - this.#random.next()) / (rate * this.#perMs);
      const slotEndMs = (slot + 1) * SLOT_MS;
      if (arrivals === "Poisson" || atMs < slotEndMs) break;
      atMs = slotEndMs;
    }
    this.#lastMs = atMs;
    return atMs < durationMs ? atMs : Infinity;
  }
}
