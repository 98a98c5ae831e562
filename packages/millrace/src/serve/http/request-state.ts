import type { ErrorCode } from "../../core/errors.ts";
import type { Scope } from "../../config/config.ts";
import type { Prediction } from "../data-plane.ts";

/** What a route needs of the caller; `none` is for probes. A route that says nothing needs `admin`. */
export type RouteScope = Scope | "none";

declare module "fastify" {
  interface FastifyContextConfig {
    readonly scope?: RouteScope;
  }
  interface FastifyRequest {
    /** When the head of the request was read, on the clock's `nowMs`. */
    receivedMs: number;
    /** Called when the reply has been handed over, whatever it is. */
    onAnswered: (() => void) | undefined;
    /** For the access line. */
    errorCode: ErrorCode | undefined;
    predictionId: string | undefined;
    prediction: Prediction | undefined;
  }
}
