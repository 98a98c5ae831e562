import type { PredictionLog } from "../prediction-log.ts";
import type { PredictionRecord } from "../recent-predictions.ts";
import type { ChosenArm } from "./service-experiment.ts";

/**
 * Tells that a unit got its arm, the first time that this process answers it, whatever the answer was. What the log has
 * no room for is told with the unit's next request.
 * @param log undefined where nothing of the service is logged.
 */
export function expose(
  arm: ChosenArm,
  record: PredictionRecord,
  log: PredictionLog | undefined,
): void {
  const { experiment, assignment, unit } = arm;
  if (assignment.kind !== "enrolled" || !experiment.isFirst(arm)) return;
  const isTold =
    log === undefined ||
    log.addExposure({
      ts: Math.round(record.receivedWallMs * 1000),
      service: record.service,
      experiment: experiment.config.name,
      phase: assignment.phase,
      variant: assignment.arm,
      unit_hash: unit?.hash ?? null,
      prediction_id: record.id,
      propensity: assignment.propensity,
      coverage: experiment.config.coverage,
      hash: assignment.hash,
      node: log.node,
    });
  if (isTold) experiment.exposed(arm);
}
