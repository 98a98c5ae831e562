import { MillraceError } from "../../core/errors.ts";
import type { DataPlane } from "../data-plane.ts";
import type { ModelRepository } from "../model-repository.ts";

/** Parameters of a load or unload request as they came: their values are not looked at unless they are taken. */
type RepositoryParameters = Readonly<Record<string, unknown>>;

/**
 * Loads a model, or loads it again, as the configuration says.
 * @throws MODEL_NOT_FOUND, MODEL_LOAD_FAILED; both say "failed to load", which clients look for. NOT_IMPLEMENTED
 * for `config`, `file:…` and every other parameter: models and settings never come from a request.
 */
export async function loadModel(
  plane: DataPlane,
  repository: ModelRepository,
  name: string,
  parameters: RepositoryParameters,
): Promise<void> {
  const [key] = Object.keys(parameters);
  if (key !== undefined)
    throw refused("load", key, "the model is loaded as the configuration says");
  if (!plane.models.names.includes(name)) {
    throw new MillraceError("MODEL_NOT_FOUND", `failed to load '${name}': there is no such model`);
  }
  await repository.load(name);
}

/**
 * Takes a model out of service.
 * @throws MODEL_NOT_FOUND, INVALID_BODY; NOT_IMPLEMENTED for a parameter other than `unload_dependents`, which is
 * accepted and changes nothing: no model depends on another.
 */
export async function unloadModel(
  plane: DataPlane,
  repository: ModelRepository,
  name: string,
  parameters: RepositoryParameters,
): Promise<void> {
  for (const [key, value] of Object.entries(parameters)) {
    if (key !== "unload_dependents") throw refused("unload", key, "it is not known");
    if (typeof value === "boolean") continue;
    const location = ["body", "parameters", key];
    const message = "expected true or false";
    throw new MillraceError("INVALID_BODY", `Cannot read ${location.join(".")}: ${message}`, {
      problems: [{ location, message, type: "parameter" }],
    });
  }
  await repository.unload(plane.models.model(name).config.name);
}

function refused(action: string, key: string, why: string): MillraceError {
  const shown = JSON.stringify(key.slice(0, 100)); // a client made it up
  return new MillraceError("NOT_IMPLEMENTED", `Cannot ${action} with parameter ${shown}: ${why}`);
}
