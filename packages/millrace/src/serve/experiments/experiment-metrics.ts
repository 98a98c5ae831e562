import type { ExperimentConfig } from "../../config/experiment-config.ts";
import type { Assignment, NotEnrolledReason } from "../../core/experiment/assignment.ts";
import type { StickyTrouble } from "../../ports/sticky-store.ts";
import type { Counter, CounterFamily, Metrics } from "../../core/metrics/metrics.ts";

/** Counters of one experiment as it is configured now. */
export interface ExperimentCounters {
  readonly countRequest: (assignment: Assignment) => void;
  readonly countExposure: (arm: string) => void;
}

/** What metrics count of experiments. */
export class ExperimentMetrics {
  readonly #requests: CounterFamily;
  readonly #exposures: CounterFamily;
  readonly #unkept: CounterFamily;

  constructor(registry: Metrics) {
    this.#requests = registry.counter(
      "experiment_requests_total",
      "Requests of services with an experiment, by the arm that was to answer and why: enrolled, overridden, or why they take no part",
      ["service", "experiment", "arm", "reason"],
    );
    this.#exposures = registry.counter(
      "experiment_exposures_total",
      "Units that a process saw for the first time in an experiment; requests where each draws",
      ["service", "experiment", "arm"],
    );
    this.#unkept = registry.counter(
      "experiment_units_unkept_total",
      "Units whose arm could not be kept, for which it is found anew when they come again",
      ["reason"],
    );
    for (const reason of UNKEPT) this.#unkept.with(reason);
  }

  countUnkept(reason: UnkeptReason, count: number): void {
    this.#unkept.with(reason).add(count);
  }

  /** All of them read 0 from now on. */
  countersOf(
    service: string,
    { name, arms, control, winner }: ExperimentConfig,
  ): ExperimentCounters {
    const request = (arm: string, reason: string): Counter =>
      this.#requests.with(service, name, arm, reason);
    const names = arms.map((arm) => arm.name);
    const enrolled = countersBy(names, (arm) => request(arm, "enrolled"));
    const overridden = countersBy(names, (arm) => request(arm, "overridden"));
    const exposures = countersBy(names, (arm) => this.#exposures.with(service, name, arm));
    const notEnrolled = countersBy(REASONS, (reason) =>
      request(reason === "decided" ? (winner ?? control) : control, reason),
    );
    return {
      countRequest: (assignment) => {
        if (assignment.kind === "enrolled") enrolled.get(assignment.arm)?.add();
        else if (assignment.kind === "overridden") overridden.get(assignment.arm)?.add();
        else notEnrolled.get(assignment.reason)?.add();
      },
      countExposure: (arm) => exposures.get(arm)?.add(),
    };
  }
}

type UnkeptReason = Extract<StickyTrouble, { readonly kind: "lost" }>["reason"];

const UNKEPT = ["backlog", "full", "evicted"] as const satisfies readonly UnkeptReason[];

const REASONS = [
  "no_unit",
  "coverage",
  "namespace",
  "inactive",
  "decided",
  "earlier_phase",
] as const satisfies readonly NotEnrolledReason[];

function countersBy<Key>(
  keys: readonly Key[],
  counterOf: (key: Key) => Counter,
): ReadonlyMap<Key, Counter> {
  return new Map(keys.map((key) => [key, counterOf(key)]));
}
