import type { MetricDefinition, MetricRole } from "../core/experiment/metric.ts";
import type { ConfigPath } from "./config-path.ts";
import type { MetricConfig } from "./experiment-config.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { ConfigOutput } from "./schema.ts";

type WrittenExperiment = NonNullable<ConfigOutput["services"][string]["traffic"]["experiment"]>;
type WrittenMetric = WrittenExperiment["metrics"][string];

/** Metrics of every experiment, and what they are made of. */
const GUARDRAILS = { errors: "errors", latency: "slow" } as const;

/** What the arms are compared by: what the file names, and the guardrails that are not off. */
export function resolveMetrics(
  { metrics, guardrails }: Pick<WrittenExperiment, "metrics" | "guardrails">,
  at: ConfigPath,
  log: ProblemLog,
): MetricConfig[] {
  const primary = Object.keys(metrics).filter((name) => metrics[name]?.role === "primary");
  for (const name of primary.slice(1)) {
    const path = [...at, "metrics", name, "role"];
    log.add(path, `found "primary" again, "${primary[0] ?? ""}" is it already`);
  }
  const all = Object.entries(metrics).map(([name, metric]) => metricOf(name, metric));
  for (const [name, kind] of Object.entries(GUARDRAILS)) {
    const margin = guardrails[name as keyof typeof GUARDRAILS];
    if (Object.hasOwn(metrics, name)) {
      const path = [...at, "metrics", name];
      log.add(path, `found "${name}", which every experiment has: guardrails.${name} sets it`);
    }
    if (margin === "off") continue;
    all.push({
      name,
      role: "guardrail",
      source: { kind },
      goal: "decrease",
      margin,
      windowMs: undefined,
      lookbackMs: undefined,
    });
  }
  return all;
}

function metricOf(name: string, metric: WrittenMetric): MetricConfig {
  const { goal, margin, role, window: windowMs } = metric;
  const common = { name, role: role satisfies MetricRole, goal, margin, windowMs };
  const definition: MetricDefinition =
    "event" in metric
      ? {
          ...common,
          source: { kind: "event", event: metric.event, aggregate: metric.aggregate },
          lookbackMs: metric.lookback,
        }
      : { ...common, source: { kind: "correct" }, lookbackMs: undefined };
  return { ...definition, role };
}
