import { Metrics, type Counter } from "../core/metrics/metrics.ts";

/** What the supervisor counts about its processes. */
export class SupervisorMetrics {
  readonly registry = new Metrics();
  readonly restarts: Counter;

  constructor(processCount: () => number) {
    const help = "Serve processes started again after a crash";
    this.restarts = this.registry.counter("process_restarts_total", help).with();
    this.registry.gauge("process_count", "Serve processes that run", [], () => [
      [[], processCount()],
    ]);
  }
}
