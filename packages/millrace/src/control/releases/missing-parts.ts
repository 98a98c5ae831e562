import type { ArmReport } from "../../core/experiment/experiment-report.ts";
import type { ReportedExperiment } from "./traffic-report.ts";

/** Share of failed predictions above which the control arm is nothing to compare with. */
const CONTROL_ERRORS_MAX = 0.5;
/** Predictions below which that cannot be said. */
const CONTROL_PREDICTIONS_MIN = 20;

/**
 * What has to be there for an experiment to go on and is not, in words.
 * @param arms as the log has them; empty before the first look.
 */
export function missingParts(
  { config, file }: ReportedExperiment,
  unready: Readonly<Record<string, string>>,
  arms: readonly ArmReport[],
): readonly string[] {
  const missing: string[] = [];
  if (file.winner !== undefined) missing.push(`the file names the winner: ${file.winner}`);
  if (!file.isActive) missing.push("the file switches it off");
  for (const { name, to } of config.arms) {
    const why = unready[to];
    if (why !== undefined) missing.push(`arm ${name} is not ready: ${why}`);
  }
  const control = arms.find(({ isControl }) => isControl);
  if (control !== undefined && isFailing(control)) {
    const percent = Math.round((control.errors / control.predictions) * 100);
    missing.push(`the control arm ${control.arm} fails itself: ${percent} % of its predictions`);
  }
  return missing;
}

function isFailing({ predictions, errors }: ArmReport): boolean {
  return predictions >= CONTROL_PREDICTIONS_MIN && errors > CONTROL_ERRORS_MAX * predictions;
}
