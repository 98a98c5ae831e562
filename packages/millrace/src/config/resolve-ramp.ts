import type { ConfigPath } from "./config-path.ts";
import type { RampConfig, RampStepConfig } from "./experiment-config.ts";
import type { ProblemLog } from "./problem-log.ts";
import { nameOf } from "./resolve-shadows.ts";
import type { ConfigOutput } from "./schema.ts";

type WrittenTraffic = ConfigOutput["services"][string]["traffic"];
type WrittenRamp = NonNullable<NonNullable<WrittenTraffic["experiment"]>["ramp"]>;

/**
 * The ramp of a service's experiment; undefined where it has none.
 * @param at where it stands.
 */
export function resolveRamp(
  { experiment, shadow }: WrittenTraffic,
  at: ConfigPath,
  log: ProblemLog,
): RampConfig | undefined {
  const written = experiment?.ramp;
  if (written === undefined) return undefined;
  const { start, after, promote, noData, grace } = written;
  checkAfter(after, shadow, [...at, "after"], log);
  return { steps: stepsOf(written, at, log), start, after, promote, noData, graceMs: grace };
}

function checkAfter(
  after: string | undefined,
  shadows: WrittenTraffic["shadow"],
  at: ConfigPath,
  log: ProblemLog,
): void {
  if (after === undefined) return;
  const known = shadows.map(({ name, to }, index) => name ?? nameOf(to, index));
  if (known.includes(after)) return;
  const there = known.length === 0 ? "there is none" : `there is ${known.join(", ")}`;
  log.add(at, `found ${log.show(at)}, expected a shadow of this service: ${there}`);
}

function stepsOf(written: WrittenRamp, at: ConfigPath, log: ProblemLog): RampStepConfig[] {
  const steps = written.steps.map((step): RampStepConfig => {
    const own = typeof step === "number" ? { coverage: step } : step;
    return {
      coverage: own.coverage,
      holdMs: own.hold ?? written.hold,
      unitsMin: own.units ?? written.units,
      needsApproval: own.approval ?? written.approval,
    };
  });
  const places = written.steps.map((step, index) => {
    const place = [...at, "steps", index];
    return typeof step === "number" ? place : [...place, "coverage"];
  });
  steps.forEach(({ coverage }, index) => {
    const place = places[index] as ConfigPath;
    const before = places[index - 1];
    if (coverage > (steps[index - 1]?.coverage ?? 0)) return;
    const limit = before === undefined ? "0%" : `${log.show(before)} of the step before`;
    log.add(place, `found ${log.show(place)}, expected more than ${limit}`);
  });
  return steps;
}
