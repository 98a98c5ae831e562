import type { MetricDefinition, MetricRole } from "../core/experiment/metric.ts";
import type { RequestValue } from "./config.ts";
import type {
  ArmConfig,
  ExperimentConfig,
  MetricConfig,
  RampConfig,
  RampStepConfig,
} from "./experiment-config.ts";
import type { ConfigPath } from "./config-path.ts";
import type { ProblemLog } from "./problem-log.ts";
import { readRequestValue } from "./resolve-log.ts";
import type { ConfigOutput } from "./schema.ts";

type WrittenTraffic = ConfigOutput["services"][string]["traffic"];
type Written = NonNullable<WrittenTraffic["experiment"]>;
type WrittenMetric = Written["metrics"][string];
type WrittenRamp = NonNullable<Written["ramp"]>;

/** The service whose experiment is resolved, and where to report. */
export interface ExperimentContext {
  readonly service: string;
  readonly traffic: WrittenTraffic;
  /** What each arm leads to, by arm; those that lead nowhere are left out, which is reported. */
  readonly targets: ReadonlyMap<string, string>;
  readonly log: ProblemLog;
}

/** Metrics of every experiment. */
const GUARDRAILS = { errors: "errors", latency: "slow" } as const;

/** The experiment of a service; undefined where it has none or something in it leads nowhere. */
export function resolveExperiment(context: ExperimentContext): ExperimentConfig | undefined {
  const { service, targets, log } = context;
  const written = context.traffic.experiment;
  if (written === undefined) return undefined;
  const at = ["services", service, "traffic", "experiment"];
  const names = Object.keys(written.arms);
  const control =
    checkArm(written.control, names, [...at, "control"], log) ?? defaultControl(names);
  const weights = weightsOf(written, names, at, log);
  const arms = names.flatMap((name, index): ArmConfig[] => {
    const to = targets.get(name);
    return to === undefined ? [] : [{ name, to, weight: weights[index] as number }];
  });
  checkNamespace(written, at, log);
  checkShadow(context.traffic, at, log);
  if (arms.length < names.length) return undefined;
  return {
    name: written.name,
    unit: unitsOf(written.unit),
    arms,
    control,
    coverage: written.coverage,
    isActive: written.active,
    winner: checkArm(written.winner, names, [...at, "winner"], log),
    salt: written.salt ?? written.name,
    namespace: written.namespace,
    override: written.override === "off" ? undefined : readRequestValue(written.override),
    isSticky: written.sticky,
    minPhase: written.minPhase,
    metrics: metricsOf(written, at, log),
    onRegression: written.guardrails.onRegression,
    onMismatch: written.guardrails.onMismatch,
    analysis: {
      everyMs: written.analysis.every,
      windowMs: written.analysis.window,
      method: written.analysis.method,
      alpha: written.analysis.alpha,
      unitsMin: written.analysis.unitsMin,
      unitsTuned: written.analysis.unitsTuned,
      lengthMinMs: written.analysis.lengthMin,
      lengthMaxMs: written.analysis.lengthMax,
    },
    ramp: written.ramp && rampOf(written.ramp, [...at, "ramp"], log),
  };
}

function unitsOf(unit: Written["unit"]): RequestValue[] {
  const all = unit === undefined ? [] : typeof unit === "string" ? [unit] : unit;
  return all.map(readRequestValue);
}

function defaultControl(names: readonly string[]): string {
  return names.includes("control") ? "control" : (names[0] as string);
}

function checkArm(
  arm: string | undefined,
  names: readonly string[],
  at: ConfigPath,
  log: ProblemLog,
): string | undefined {
  if (arm === undefined || names.includes(arm)) return arm;
  log.add(at, `found ${log.show(at)}, expected an arm: ${names.join(", ")}`);
  return undefined;
}

/** One for each arm, adding up to 1. */
function weightsOf(
  { weights }: Written,
  names: readonly string[],
  at: ConfigPath,
  log: ProblemLog,
): readonly number[] {
  if (weights === undefined) return names.map(() => 1 / names.length);
  for (const name of Object.keys(weights)) checkArm(name, names, [...at, "weights", name], log);
  const missing = names.filter((name) => !Object.hasOwn(weights, name));
  if (missing.length > 0) {
    log.add([...at, "weights"], `missing ${missing.join(", ")}, expected a weight for each arm`);
  }
  const all = names.map((name) => weights[name] ?? 0);
  const total = all.reduce((sum, weight) => sum + weight, 0);
  if (total > 0) return all.map((weight) => weight / total);
  if (missing.length === 0) log.add([...at, "weights"], "all are 0, expected one above");
  return names.map(() => 1 / names.length);
}

function checkNamespace({ namespace }: Written, at: ConfigPath, log: ProblemLog): void {
  if (namespace === undefined || namespace.from < namespace.to) return;
  const path = [...at, "namespace", "to"];
  log.add(path, `found ${log.show(path)}, expected more than from`);
}

function checkShadow(
  { experiment, shadow }: WrittenTraffic,
  at: ConfigPath,
  log: ProblemLog,
): void {
  const after = experiment?.ramp?.after;
  if (after === undefined) return;
  const known = shadow.map(({ name, to }) => name ?? (typeof to === "string" ? to : ""));
  if (known.includes(after)) return;
  const path = [...at, "ramp", "after"];
  const there = known.length === 0 ? "there is none" : `there is ${known.join(", ")}`;
  log.add(path, `found ${log.show(path)}, expected a shadow of this service: ${there}`);
}

function metricsOf(written: Written, at: ConfigPath, log: ProblemLog): MetricConfig[] {
  const { metrics, guardrails } = written;
  const primary = Object.keys(metrics).filter((name) => metrics[name]?.role === "primary");
  for (const name of primary.slice(1)) {
    const path = [...at, "metrics", name, "role"];
    log.add(path, `found "primary" again, "${primary[0] ?? ""}" is it already`);
  }
  const all: MetricConfig[] = Object.entries(metrics).map(([name, metric]) =>
    metricOf(name, metric),
  );
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

function rampOf(written: WrittenRamp, at: ConfigPath, log: ProblemLog): RampConfig {
  const steps = written.steps.map((step): RampStepConfig => {
    const own = typeof step === "number" ? { coverage: step } : step;
    return {
      coverage: own.coverage,
      holdMs: own.hold ?? written.hold,
      unitsMin: own.units ?? written.units,
      needsApproval: own.approval ?? written.approval,
    };
  });
  steps.forEach(({ coverage }, index) => {
    const before = steps[index - 1]?.coverage ?? 0;
    if (coverage > before) return;
    const found = `found ${coverage * 100}% after ${before * 100}%`;
    log.add([...at, "steps", index], `${found}, expected more than the step before`);
  });
  const { start, after, promote, noData, grace } = written;
  return { steps, start, after, promote, noData, graceMs: grace };
}
