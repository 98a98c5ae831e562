import type { FastifyInstance, FastifyRequest } from "fastify";
import { MillraceError } from "../../core/errors.ts";
import type { JsonValue } from "../../core/json.ts";
import { JsonReader } from "../../core/json-reader.ts";
import type { DataPlane } from "../data-plane.ts";
import { jsonBody } from "./json-body.ts";

/** Loads and unloads models in every serve process, not only in the one that was asked. */
export interface ModelRepository {
  /** @throws MODEL_NOT_FOUND, MODEL_LOAD_FAILED */
  load(modelName: string): Promise<void>;
  /** @throws MODEL_NOT_FOUND */
  unload(modelName: string): Promise<void>;
}

interface ModelParams {
  readonly model: string;
}

/** The model repository extension: what there is, and load and unload for the holder of an admin key. */
export function addRepositoryRoutes(
  app: FastifyInstance,
  plane: DataPlane,
  repository: ModelRepository,
): void {
  const read = { config: { scope: "read" } } as const;
  const admin = { config: { scope: "admin" } } as const;
  app.post("/v2/repository/index", read, async (request) => {
    const { ready = false } = bodyObject(request);
    if (typeof ready !== "boolean") {
      throw invalid(["body", "ready"], "expected true or false");
    }
    return plane.models
      .status()
      .filter((status) => status.isReady || !ready)
      .flatMap(({ name, state, versions, problem, fallbackReason }) => {
        const entry = { state, reason: problem ?? fallbackReason ?? "" };
        if (versions.length === 0) return [{ name, ...entry }];
        return versions.map((version) => ({ name, version: String(version), ...entry }));
      });
  });
  app.post("/v2/repository/models/:model/load", admin, async (request) => {
    const { model } = request.params as ModelParams;
    refuseOverrides(bodyObject(request));
    await repository.load(plane.models.model(model).config.name);
    return { name: model, load: true };
  });
  app.post("/v2/repository/models/:model/unload", admin, async (request) => {
    const { model } = request.params as ModelParams;
    bodyObject(request);
    await repository.unload(plane.models.model(model).config.name);
    return { name: model, unload: true };
  });
}

/** Models and settings come from the file, never from a request. */
function refuseOverrides(body: Readonly<Record<string, JsonValue>>): void {
  const parameters = body["parameters"] ?? {};
  const [key] = Object.keys(parameters as object);
  if (key === undefined) return;
  throw new MillraceError(
    "NOT_IMPLEMENTED",
    `Cannot load with parameter "${key}": the model is loaded as the configuration says`,
  );
}

function bodyObject(request: FastifyRequest): Readonly<Record<string, JsonValue>> {
  const bytes = jsonBody(request);
  if (bytes.length === 0) return {};
  const reader = new JsonReader(bytes);
  const value = reader.readValue();
  reader.end();
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, JsonValue>>;
  }
  throw invalid(["body"], "expected an object");
}

function invalid(location: readonly string[], message: string): MillraceError {
  return new MillraceError("INVALID_BODY", `Cannot read ${location.join(".")}: ${message}`, {
    problems: [{ location, message, type: "body" }],
  });
}
