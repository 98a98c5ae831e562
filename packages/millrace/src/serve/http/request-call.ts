import type { FastifyReply, FastifyRequest } from "fastify";
import { MillraceError } from "../../core/errors.ts";
import type { Call, DataPlane } from "../data-plane.ts";
import "./request-state.ts";

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * The deadline, the cancellation and the id of a prediction. The id is in the reply from here on, whatever
 * becomes of the request.
 * @throws INVALID_HEADER when `x-request-timeout` is not a duration, NOT_IMPLEMENTED for `Prefer: respond-async`.
 */
export function callOf(plane: DataPlane, request: FastifyRequest, reply: FastifyReply): Call {
  refuseAsync(request);
  const predictionId = plane.newPredictionId();
  request.predictionId = predictionId;
  void reply.header("x-prediction-id", predictionId);
  return {
    predictionId,
    receivedMs: request.receivedMs,
    timeoutMs: timeoutOf(request.headers["x-request-timeout"]),
    signal: disconnectSignal(request),
  };
}

/** A prediction that takes long as a job of its own comes with a later version: say so, never block instead. */
function refuseAsync(request: FastifyRequest): void {
  const prefer = request.headers["prefer"];
  if (prefer === undefined || !String(prefer).includes("respond-async")) return;
  throw new MillraceError(
    "NOT_IMPLEMENTED",
    'Cannot answer "Prefer: respond-async": this version predicts only while the client waits',
  );
}

function timeoutOf(header: string | string[] | undefined): number | undefined {
  if (header === undefined) return undefined;
  const match = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)$/.exec(String(header).trim());
  const timeoutMs =
    match === null ? 0 : Number(match[1]) * (UNITS_MS[match[2] as string] as number);
  if (timeoutMs > 0) return timeoutMs;
  const message = `found ${JSON.stringify(String(header))}, expected a duration above zero with its unit: 250ms, 2s`;
  throw new MillraceError("INVALID_HEADER", `Cannot read header x-request-timeout: ${message}`, {
    problems: [{ location: ["header", "x-request-timeout"], message, type: "duration" }],
  });
}

/** Aborts when the connection closes before the reply is written. */
function disconnectSignal(request: FastifyRequest): AbortSignal {
  const controller = new AbortController();
  const { socket } = request.raw;
  const abort = (): void => {
    controller.abort(new MillraceError("CANCELLED", "Cannot predict: the client has gone"));
  };
  socket.once("close", abort);
  request.onAnswered = () => socket.off("close", abort);
  return controller.signal;
}
