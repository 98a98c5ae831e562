import type { RequestValue } from "./request-value.ts";
import type { ConfigPath } from "./config-path.ts";
import type { ConfigTree } from "./config-tree.ts";
import { didYouMean } from "./did-you-mean.ts";
import type { AnalysisConfig, ArmConfig, ExperimentConfig } from "./experiment-config.ts";
import type { ProblemLog } from "./problem-log.ts";
import { readRequestValue } from "./resolve-log.ts";
import { resolveMetrics } from "./resolve-metrics.ts";
import { resolveRamp } from "./resolve-ramp.ts";
import type { ConfigOutput } from "./schema.ts";

type WrittenTraffic = ConfigOutput["services"][string]["traffic"];
type Written = NonNullable<WrittenTraffic["experiment"]>;

/** The service whose experiment is resolved, and where to report. */
export interface ExperimentContext {
  readonly service: string;
  readonly traffic: WrittenTraffic;
  /** What each arm leads to, by arm; those that lead nowhere are left out, which is reported. */
  readonly targets: ReadonlyMap<string, string>;
  readonly tree: ConfigTree;
  readonly log: ProblemLog;
}

/** The experiment of a service; undefined where it has none or something in it leads nowhere. */
export function resolveExperiment(context: ExperimentContext): ExperimentConfig | undefined {
  const { service, targets, log } = context;
  const written = context.traffic.experiment;
  if (written === undefined) return undefined;
  const at = ["services", service, "traffic", "experiment"];
  const names = Object.keys(written.arms);
  const control =
    checkArm(written.control, names, [...at, "control"], log) ?? defaultControl(names);
  const weights = weightsOf(context, names, [...at, "weights"]);
  const arms = names.flatMap((name, index): ArmConfig[] => {
    const to = targets.get(name);
    return to === undefined ? [] : [{ name, to, weight: weights[index] as number }];
  });
  checkNamespace(written, at, log);
  const ramp = resolveRamp(context.traffic, [...at, "ramp"], log);
  if (arms.length < names.length) return undefined;
  return {
    name: written.name,
    unit: unitsOf(written.unit),
    arms,
    control,
    // Until its ramp has begun, and where nobody runs one, nobody takes part.
    coverage: written.coverage ?? (written.ramp === undefined ? 1 : 0),
    isActive: written.active,
    winner: checkArm(written.winner, names, [...at, "winner"], log),
    salt: written.salt ?? written.name,
    namespace: written.namespace,
    override: written.override === "off" ? undefined : readRequestValue(written.override),
    isSticky: written.sticky,
    minPhase: written.minPhase,
    metrics: resolveMetrics(written, at, log),
    onRegression: written.guardrails.onRegression,
    onMismatch: written.guardrails.onMismatch,
    analysis: analysisOf(written, at, log),
    ramp,
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
  const allowed = names.join(", ");
  const message = `found ${JSON.stringify(arm)}, expected an arm: ${allowed}`;
  log.add(at, message, { allowed, didYouMean: didYouMean(arm, names) });
  return undefined;
}

/** One for each arm, adding up to 1. */
function weightsOf(
  { traffic, tree, log }: ExperimentContext,
  names: readonly string[],
  at: ConfigPath,
): readonly number[] {
  const equal = names.map(() => 1 / names.length);
  const weights = traffic.experiment?.weights;
  if (weights === undefined) return equal;
  const unknown = Object.keys(weights).filter((name) => !names.includes(name));
  for (const name of unknown) checkArm(name, names, [...at, name], log);
  // What is misspelt or wrong by itself has been said, and is not missed as well.
  const missing = names.filter((name) => tree.get([...at, name]) === undefined);
  if (missing.length > 0 && unknown.length === 0) {
    log.add(at, `missing ${missing.join(", ")}, expected a weight for each arm`);
  }
  const all = names.map((name) => weights[name] ?? 0);
  const total = all.reduce((sum, weight) => sum + weight, 0);
  if (total > 0) return all.map((weight) => weight / total);
  if (missing.length === 0) log.add(at, "all are 0, expected one above");
  return equal;
}

function checkNamespace({ namespace }: Written, at: ConfigPath, log: ProblemLog): void {
  if (namespace === undefined || namespace.from < namespace.to) return;
  const path = [...at, "namespace", "to"];
  log.add(path, `found ${log.show(path)}, expected more than from`);
}

function analysisOf({ analysis }: Written, at: ConfigPath, log: ProblemLog): AnalysisConfig {
  const { lengthMin, lengthMax } = analysis;
  if (lengthMin > lengthMax) {
    const path = [...at, "analysis", "lengthMin"];
    log.add(path, `found ${log.show(path)}, expected at most lengthMax`);
  }
  return {
    everyMs: analysis.every,
    windowMs: analysis.window,
    method: analysis.method,
    alpha: analysis.alpha,
    unitsMin: analysis.unitsMin,
    unitsTuned: analysis.unitsTuned,
    lengthMinMs: lengthMin,
    lengthMaxMs: lengthMax,
  };
}
