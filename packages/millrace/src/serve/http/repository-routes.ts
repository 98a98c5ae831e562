import type { FastifyInstance, FastifyRequest } from "fastify";
import { MillraceError } from "../../core/errors.ts";
import type { JsonValue } from "../../core/json.ts";
import { JsonReader } from "../../core/json-reader.ts";
import type { DataPlane } from "../data-plane.ts";
import type { ModelRepository } from "../model-repository.ts";
import { loadModel, unloadModel } from "../oip/repository.ts";
import { repositoryIndex } from "../oip/repository-index.ts";
import { FastifyExchange } from "./fastify-exchange.ts";
import { jsonBody } from "./json-body.ts";

interface ModelParams {
  readonly model: string;
}

type JsonObject = Readonly<Record<string, JsonValue>>;

/** The model repository extension: what there is, and load and unload for the holder of an admin key. */
export function addRepositoryRoutes(
  app: FastifyInstance,
  plane: DataPlane,
  repository: ModelRepository,
): void {
  const read = { config: { scope: "read" } } as const;
  const admin = { config: { scope: "admin" } } as const;
  app.post("/v2/repository/index", read, async (request) => {
    const { ready = false } = await bodyObject(request);
    if (typeof ready === "boolean") return repositoryIndex(plane, ready);
    throw invalid(["body", "ready"], "expected true or false");
  });
  app.post("/v2/repository/:repository/index", read, async () => {
    throw new MillraceError(
      "NOT_IMPLEMENTED",
      "Cannot list one repository: there is only one, POST /v2/repository/index lists it",
    );
  });
  app.post("/v2/repository/models/:model/load", admin, async (request) => {
    const { model } = request.params as ModelParams;
    await loadModel(plane, repository, model, parametersOf(await bodyObject(request)));
    return { name: model, load: true };
  });
  app.post("/v2/repository/models/:model/unload", admin, async (request) => {
    const { model } = request.params as ModelParams;
    await unloadModel(plane, repository, model, parametersOf(await bodyObject(request)));
    return { name: model, unload: true };
  });
}

function parametersOf(body: JsonObject): JsonObject {
  return asObject(body["parameters"] ?? {}, ["body", "parameters"]);
}

async function bodyObject(request: FastifyRequest): Promise<JsonObject> {
  const bytes = await jsonBody(new FastifyExchange(request));
  if (bytes.length === 0) return {};
  const reader = new JsonReader(bytes);
  const value = reader.readValue();
  reader.end();
  return asObject(value, ["body"]);
}

function asObject(value: JsonValue, location: readonly string[]): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw invalid(location, "expected an object");
}

function invalid(location: readonly string[], message: string): MillraceError {
  return new MillraceError("INVALID_BODY", `Cannot read ${location.join(".")}: ${message}`, {
    problems: [{ location, message, type: "body" }],
  });
}
