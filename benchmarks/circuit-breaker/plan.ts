/** How long and how hard the services are asked. */
export interface Plan {
  readonly requestsPerSecond: number;
  readonly durationMs: number;
  /** Longest wait for what is still in the line when the load ends. */
  readonly graceMs: number;
}

/** The scenario as it was published for Istio in front of three replicas. */
export const FULL: Plan = { requestsPerSecond: 1000, durationMs: 10_000, graceMs: 60_000 };
export const QUICK: Plan = { requestsPerSecond: 1000, durationMs: 2_000, graceMs: 10_000 };

/** Names of the services of millrace.yaml, the one without protection first. */
export const SERVICES = ["unlimited", "defaults", "objective"] as const;
export type Service = (typeof SERVICES)[number];
