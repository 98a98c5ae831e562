import type { Metrics } from "../core/metrics/metrics.ts";
import type { BreakerKind } from "../core/overload/breaker.ts";
import type { ExtraCounts } from "../core/overload/retry-budget.ts";
import type { ServiceEndpoint } from "../graphs/service-graphs.ts";

/** What the metrics of remote steps and of further calls are read from. */
export interface RemoteFigures {
  endpoints(): readonly ServiceEndpoint[];
  extraCounts(): readonly (readonly [service: string, counts: ExtraCounts])[];
}

/** Metrics of the servers of remote steps, and of calls beside the first ones. Servers are those of the file. */
export function addRemoteMetrics(registry: Metrics, graphs: RemoteFigures): void {
  const labels = ["service", "step", "endpoint"];
  const each = (read: (endpoint: ServiceEndpoint) => number) => () => {
    // Two steps of a service may have one name and ask the same server; a series is there once.
    const series = new Map<string, readonly [labels: readonly string[], value: number]>();
    for (const endpoint of graphs.endpoints()) {
      const values = [endpoint.service, endpoint.step, endpoint.endpoint];
      const key = values.join("\u0000");
      const [, before] = series.get(key) ?? [values, 0];
      series.set(key, [values, before + read(endpoint)]);
    }
    return series.values();
  };
  registry.gauge(
    "remote_endpoint_ejected",
    "1 while one of several servers is left alone because it kept failing",
    labels,
    each(({ isEjected }) => (isEjected ? 1 : 0)),
  );
  registry.gauge(
    "remote_endpoint_breaker_state",
    "0 closed, 1 half open, 2 open",
    labels,
    each(({ breaker }) => BREAKER_STATES.indexOf(breaker)),
  );
  registry.externalCounter(
    "remote_endpoint_ejections_total",
    "Times a server was left alone",
    labels,
    each(({ ejections }) => ejections),
  );
  registry.externalCounter(
    "remote_endpoint_calls_total",
    "Calls to a server, retries and second calls among them",
    labels,
    each(({ calls }) => calls),
  );
  registry.externalCounter(
    "remote_endpoint_failures_total",
    "Calls for which the server is to blame: no connection, a reset, no answer in time, 5xx, a wrong reply",
    labels,
    each(({ failures }) => failures),
  );
  registry.externalCounter(
    "inference_extra_calls_total",
    "Calls of steps beside the first one, by kind: retry, hedge; denied are those the budget did not allow",
    ["service", "kind"],
    () =>
      graphs
        .extraCounts()
        .flatMap(([service, counts]) =>
          Object.entries(counts).map(
            ([kind, count]) => [[service, kind], count as number] as const,
          ),
        ),
  );
}

const BREAKER_STATES: readonly BreakerKind[] = ["closed", "halfOpen", "open"];
