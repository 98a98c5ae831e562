import { percentilesOf } from "../percentiles.ts";
import { Arrivals, RunTimes, type Workload } from "./workload.ts";

/** Decides which requests run together, and when. Requests are numbers, in the order in which they come. */
export interface Policy {
  arrive(request: number): void;
  /** The run that `Host.run` began has ended. */
  runEnded(runMs: number): void;
  /** The moment asked for by `Host.wakeAt` has come. */
  wake(): void;
}

/** The world of a policy. */
export interface Host {
  nowMs(): number;
  /** Begins a run on the one executor, which must be free. */
  run(rows: number): void;
  answer(request: number): void;
  /** Replaces the earlier wish. */
  wakeAt(atMs: number): void;
}

export type MakePolicy = (host: Host, workload: Workload) => Policy;

/** What became of the requests of one workload under one policy. */
export interface Outcome {
  readonly offered: number;
  readonly answered: number;
  /** Latency of the answered ones, also of those that were too late. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the offered requests those answered within the objective, in percent. */
  readonly goodputPercent: number;
  readonly batchRows: number;
}

/** Longest time to go on after the last arrival. */
const DRAIN_MS = 60_000;

/** Plays a workload through a policy on a clock of its own. */
export function simulate(workload: Workload, makePolicy: MakePolicy): Outcome {
  return new Simulation(workload, makePolicy).play();
}

class Simulation implements Host {
  readonly #workload: Workload;
  readonly #arrivals: Arrivals;
  readonly #runTimes: RunTimes;
  readonly #policy: Policy;
  readonly #arrivedMs: number[] = [];
  readonly #latenciesMs: number[] = [];
  #nowMs = 0;
  #runMs = 0;
  #runEndMs = Infinity;
  #wakeAtMs = Infinity;
  #goodCount = 0;
  #batchCount = 0;
  #rowCount = 0;

  constructor(workload: Workload, makePolicy: MakePolicy) {
    this.#workload = workload;
    this.#arrivals = new Arrivals(workload);
    this.#runTimes = new RunTimes(workload);
    this.#policy = makePolicy(this, workload);
  }

  nowMs(): number {
    return this.#nowMs;
  }

  run(rows: number): void {
    if (this.#runEndMs < Infinity) throw new Error("The executor is busy");
    this.#runMs = this.#runTimes.next(rows);
    this.#runEndMs = this.#nowMs + this.#runMs;
    this.#batchCount++;
    this.#rowCount += rows;
  }

  answer(request: number): void {
    const latencyMs = this.#nowMs - (this.#arrivedMs[request] ?? NaN);
    this.#latenciesMs.push(latencyMs);
    if (latencyMs <= this.#workload.model.sloMs) this.#goodCount++;
  }

  wakeAt(atMs: number): void {
    this.#wakeAtMs = atMs;
  }

  /** At most three events are due at a time, so there is nothing to sort. */
  play(): Outcome {
    const endMs = this.#workload.durationMs + DRAIN_MS;
    for (let arrivalMs = this.#arrivals.next(); ;) {
      const nextMs = Math.min(arrivalMs, this.#runEndMs, this.#wakeAtMs);
      if (nextMs > endMs) return this.#outcome();
      this.#nowMs = Math.max(this.#nowMs, nextMs);
      if (nextMs === this.#runEndMs) {
        this.#runEndMs = Infinity;
        this.#policy.runEnded(this.#runMs);
      } else if (nextMs === arrivalMs) {
        this.#arrivedMs.push(arrivalMs);
        this.#policy.arrive(this.#arrivedMs.length - 1);
        arrivalMs = this.#arrivals.next();
      } else {
        this.#wakeAtMs = Infinity;
        this.#policy.wake();
      }
    }
  }

  #outcome(): Outcome {
    const { p50, p99 } = percentilesOf(this.#latenciesMs);
    return {
      offered: this.#arrivedMs.length,
      answered: this.#latenciesMs.length,
      p50Ms: p50,
      p99Ms: p99,
      goodputPercent: (100 * this.#goodCount) / this.#arrivedMs.length,
      batchRows: this.#rowCount / this.#batchCount,
    };
  }
}
