import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ServiceConfig } from "../../config/config.ts";
import { MillraceError } from "../../core/errors.ts";
import { MILLRACE_VERSION } from "../../version.ts";
import type { DataPlane } from "../data-plane.ts";
import type { ExchangeHandler } from "./exchange.ts";
import { throughFastify } from "./fastify-exchange.ts";
import { scoringAnswer, type ScoringForm } from "./scoring-exchange.ts";
import { tracedExchange } from "./traced-exchange.ts";

const V1_ROUTE = "/v1/models/:modelAndVerb";
const V1: ScoringForm = { endpoint: "/v1/predict", members: ["instances"], takesCsv: false };
const MLFLOW: ScoringForm = {
  endpoint: "/invocations",
  members: ["dataframe_split", "dataframe_records", "instances", "inputs"],
  takesCsv: true,
};

/**
 * Routes that other servers' clients know: `/v1/models/{m}:predict` (TensorFlow Serving, KServe V1) and
 * MLflow's `/invocations`.
 */
export function addScoringRoutes(
  app: FastifyInstance,
  plane: DataPlane,
  isReady: () => boolean,
): void {
  const infer = { config: { scope: "infer" } } as const;
  const read = { config: { scope: "read" } } as const;
  const probe = { config: { scope: "none" } } as const;

  app.post(V1_ROUTE, infer, (request, reply) => {
    const { modelAndVerb } = request.params as { modelAndVerb: string };
    const [model, verb] = splitVerb(modelAndVerb);
    if (verb !== "predict") throw unknownVerb(request, verb);
    const service = (): ServiceConfig => plane.services.get(model);
    const score: ExchangeHandler = (exchange) => scoringAnswer(plane, exchange, service, V1);
    return throughFastify(tracedExchange(plane, V1_ROUTE, score))(request, reply);
  });

  app.get("/v1/models/:model", read, async (request) => {
    const { model } = request.params as { model: string };
    const service = plane.services.get(model);
    const versions = plane.predictorsOf(service);
    return {
      name: model,
      ready: versions.length > 0,
      model_version_status: versions.map((version) => ({
        version: String(version.version),
        state: "AVAILABLE",
        status: { error_code: "OK", error_message: "" },
      })),
    };
  });

  const defaultService = (): ServiceConfig => {
    const service = plane.services.default;
    if (service !== undefined) return service;
    const message = "Cannot choose a service: none is the default, set services.<name>.default";
    throw new MillraceError("MODEL_NOT_FOUND", message);
  };
  const invoke: ExchangeHandler = (exchange) =>
    scoringAnswer(plane, exchange, defaultService, MLFLOW);
  const invocations = tracedExchange(plane, "/invocations", invoke);
  app.post("/invocations", infer, throughFastify(invocations));

  app.get("/ping", probe, async (_request, reply) => {
    void reply.code(isReady() ? 200 : 503).header("content-type", "application/json");
    return "\n";
  });
  app.get("/version", probe, async (_request, reply) => {
    void reply.header("content-type", "text/plain; charset=utf-8");
    return MILLRACE_VERSION;
  });
}

/** `iris:predict` → `iris` and `predict`. */
function splitVerb(segment: string): [model: string, verb: string] {
  const colon = segment.lastIndexOf(":");
  return colon < 0 ? [segment, ""] : [segment.slice(0, colon), segment.slice(colon + 1)];
}

function unknownVerb(request: FastifyRequest, verb: string): MillraceError {
  const found = verb === "" ? "none" : `"${verb}"`;
  return new MillraceError(
    "ROUTE_NOT_FOUND",
    `Cannot find the route ${request.method} ${request.url}: the verb is ${found}, expected ":predict"`,
  );
}
