import type { ErrorCode } from "../../core/errors.ts";
import type { RouteScope } from "../auth.ts";
import type { Prediction } from "../prediction.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    readonly scope?: RouteScope;
    /** Is `bodyLimit` of the route smaller than `server.bodyMax`? */
    readonly hasOwnBodyLimit?: boolean;
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
    /** Name of the API key that was shown. */
    caller: string | undefined;
    /** Rule that chose the model. */
    rule: string | undefined;
    /** Arm of the service's experiment. */
    variant: string | undefined;
  }
}
