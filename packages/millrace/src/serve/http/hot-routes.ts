import type { DataPlane } from "../data-plane.ts";
import type { ExchangeHandler } from "./exchange.ts";
import { inferExchange } from "./infer-exchange.ts";
import { tracedExchange } from "./traced-exchange.ts";
import { BODY_ROWS, LABEL, predictExchange, SCORES } from "./predict-exchange.ts";

/** A route by POST that both ways serve: Fastify and the fast lane. It takes the scope `infer`. */
export interface HotRoute {
  /** As Fastify writes it: `/services/:service/predict`. */
  readonly url: string;
  readonly handler: ExchangeHandler;
}

/** The routes that carry the load. */
export function hotRoutes(plane: DataPlane): readonly HotRoute[] {
  const scores = predictExchange(plane, BODY_ROWS, SCORES);
  const label = predictExchange(plane, BODY_ROWS, LABEL);
  const infer = inferExchange(plane);
  const routes = [
    { url: "/predict", handler: scores },
    { url: "/predict/label", handler: label },
    { url: "/services/:service/predict", handler: scores },
    { url: "/services/:service/predict/label", handler: label },
    { url: "/v2/models/:model/infer", handler: infer },
    { url: "/v2/models/:model/versions/:version/infer", handler: infer },
  ];
  return routes.map(({ url, handler }) => ({ url, handler: tracedExchange(plane, url, handler) }));
}
