import type { FastifyInstance, FastifyRequest } from "fastify";
import { MillraceError } from "../../core/errors.ts";
import type { DataPlane, Target } from "../data-plane.ts";
import type { ExchangeHandler } from "./exchange.ts";
import { FastifyExchange, sendsAsItIs, throughFastify } from "./fastify-exchange.ts";
import { LABEL, predictExchange, SAMPLE_ROWS, SCORES, serviceTarget } from "./predict-exchange.ts";
import { checkHasLabel } from "./prediction-json.ts";
import { serviceMetadata } from "./service-metadata.ts";
import { tracedExchange } from "./traced-exchange.ts";

/**
 * What stands beside `POST /predict`, for the default service and under `/services/{service}` for every one.
 * `POST /predict` itself is in `hot-routes.ts`.
 */
export function addPredictRoutes(app: FastifyInstance, plane: DataPlane): void {
  const infer = { config: { scope: "infer" } } as const;
  const read = { config: { scope: "read" } } as const;
  const testScores = predictExchange(plane, SAMPLE_ROWS, SCORES);
  const testLabel = predictExchange(plane, SAMPLE_ROWS, LABEL);
  const addSample = (url: string, handler: ExchangeHandler): void => {
    app.get(url, infer, throughFastify(tracedExchange(plane, url, handler)));
  };
  for (const prefix of ["", "/services/:service"]) {
    addSample(`${prefix}/predict/test`, testScores);
    addSample(`${prefix}/predict/test/label`, testLabel);
    app.get(`${prefix}/label`, read, async (request) => labelsOf(await targetOf(plane, request)));
    app.get(`${prefix}/metadata`, read, async (request, reply) => {
      sendsAsItIs(reply.header("content-type", "application/json"));
      return serviceMetadata(await targetOf(plane, request));
    });
  }
}

/** Rules are asked as for a prediction: a route's labels are its own model's. An experiment has arms for predictions only. */
function targetOf(plane: DataPlane, request: FastifyRequest): Target | Promise<Target> {
  return serviceTarget(plane, new FastifyExchange(request), "none");
}

function labelsOf({ predictor }: Target): Record<string, string> {
  if (predictor.labels !== undefined) return Object.fromEntries(predictor.labels.entries());
  checkHasLabel(predictor);
  throw new MillraceError(
    "LABELS_NOT_FOUND",
    `Cannot list labels: "${predictor.modelName}" has none, add models.<name>.labels`,
  );
}
