import type { Target } from "../data-plane.ts";
import type { Prediction } from "../prediction.ts";

/**
 * The body of a `/predict` reply with the facts that `reply.include` of the service puts into it: `mode`, the arm of the
 * experiment that answered, or the model where there is no experiment, and `prediction_id`.
 * @param body JSON of an object.
 */
export function withReplyFacts(body: string, target: Target, prediction: Prediction): string {
  const { include } = target.service.reply;
  if (include.length === 0) return body;
  let members = "";
  for (const name of include) {
    if (isTaken(name, target)) continue;
    const value = name === "mode" ? modeOf(target) : prediction.id;
    members += `,${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }
  return body.endsWith("}") ? `${body.slice(0, -1)}${members}}` : body;
}

/** A branch of this name stands there already. */
function isTaken(name: string, { predictor }: Target): boolean {
  return predictor.isBare && predictor.predictionNames.includes(name);
}

function modeOf({ arm, predictor }: Target): string {
  return arm?.assignment.arm ?? predictor.modelName;
}
