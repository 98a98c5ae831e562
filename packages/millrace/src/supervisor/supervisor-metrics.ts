import { Metrics, type Counter } from "../core/metrics/metrics.ts";

/** What the supervisor counts about its processes. */
export class SupervisorMetrics {
  readonly registry = new Metrics();
  readonly restarts: Counter;
  readonly controlRestarts: Counter;
  readonly overridesApplied: Counter;

  constructor(
    processCount: () => number,
    overrideVersion: () => number,
    logRestarts: () => number,
  ) {
    const help = "Serve processes started again after a crash";
    this.restarts = this.registry.counter("process_restarts_total", help).with();
    this.registry.gauge("process_count", "Serve processes that run", [], () => [
      [[], processCount()],
    ]);
    this.controlRestarts = this.registry
      .counter(
        "control_restarts_total",
        "Times the control process was started again after a crash",
      )
      .with();
    const logHelp = "Times the log process was started again after a crash";
    this.registry.externalCounter("log_restarts_total", logHelp, [], () => [[[], logRestarts()]]);
    this.overridesApplied = this.registry
      .counter("overrides_applied_total", "Changes of overrides that every process has made")
      .with();
    const versionHelp = "Version of the overrides that the processes have; 0 is none";
    this.registry.gauge("override_version", versionHelp, [], () => [[[], overrideVersion()]]);
  }
}
