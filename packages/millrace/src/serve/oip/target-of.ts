import { MillraceError } from "../../core/errors.ts";
import type { Predictor } from "../../models/predictor.ts";
import type { DataPlane, Target } from "../data-plane.ts";

/**
 * What a request of the protocol names.
 * @param version as the client wrote it; undefined and "" leave it to the server.
 * @throws MODEL_NOT_FOUND, MODEL_NOT_READY.
 */
export function targetOf(plane: DataPlane, model: string, version: string | undefined): Target {
  return plane.target(plane.services.get(model), { version: versionNumber(model, version) });
}

/**
 * Can the model answer, and every model that the service's rules and the arms of its experiment lead to?
 * @throws MODEL_NOT_FOUND when there is none of that name or no such version.
 */
export function isModelReady(
  plane: DataPlane,
  model: string,
  version: string | undefined,
): boolean {
  const service = plane.services.get(model);
  const number = versionNumber(model, version);
  const led = [...service.rules, ...(service.experiment?.arms ?? [])];
  const others = number === undefined ? led.map(({ to }) => to) : [];
  try {
    return [service.name, ...others].every((name) => plane.predictor(name, number).isUp);
  } catch (error) {
    if (error instanceof MillraceError && error.code === "MODEL_NOT_READY") return false;
    throw error;
  }
}

/**
 * The named version, or without one all that are loaded, none when the model is not ready.
 * @throws MODEL_NOT_FOUND; MODEL_NOT_READY when a version is named.
 */
export function versionsOf(
  plane: DataPlane,
  model: string,
  version: string | undefined,
): readonly Predictor[] {
  const isOne = version !== undefined && version !== "";
  if (isOne) return [targetOf(plane, model, version).predictor];
  return plane.predictorsOf(plane.services.get(model));
}

/**
 * The number of a version as a client wrote it; undefined and "" name none.
 * @throws MODEL_NOT_FOUND when it is not a whole number above zero.
 */
export function versionNumber(model: string, version: string | undefined): number | undefined {
  if (version === undefined || version === "") return undefined;
  if (/^[1-9]\d{0,9}$/.test(version)) return Number(version);
  throw new MillraceError(
    "MODEL_NOT_FOUND",
    `Request for unknown model: '${model}' has no version ${JSON.stringify(version)}, versions are numbers`,
  );
}
