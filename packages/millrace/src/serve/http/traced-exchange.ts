import { ERRORS, type MillraceError } from "../../core/errors.ts";
import type { DataPlane } from "../data-plane.ts";
import type { TracedAnswer } from "../request-traces.ts";
import type { Answer, Exchange, ExchangeHandler } from "./exchange.ts";
import { knownError } from "./problem.ts";

/**
 * @param route pattern of the path, as Fastify writes it.
 * @returns `handler` with a span around each request; `handler` itself where nothing is traced.
 */
export function tracedExchange(
  plane: DataPlane,
  route: string,
  handler: ExchangeHandler,
): ExchangeHandler {
  const { traces } = plane;
  if (traces === undefined) return handler;
  return (exchange) => {
    const trace = traces.begin(exchange.header("traceparent"), exchange.header("tracestate"));
    exchange.trace = trace;
    if (!trace.context.isRecorded) return handler(exchange);
    return withSpan(handler, exchange, (status, error) => {
      traces.end(trace, answerOf({ exchange, route, scheme: traces.scheme }, status, error));
    });
  };
}

async function withSpan(
  handler: ExchangeHandler,
  exchange: Exchange,
  end: (status: number, error: MillraceError | undefined) => void,
): Promise<Answer> {
  try {
    const answer = await handler(exchange);
    end(answer.status, undefined);
    return answer;
  } catch (error) {
    const known = knownError(error);
    end(ERRORS[known.code].status, known);
    throw error;
  }
}

interface EndedExchange {
  readonly exchange: Exchange;
  readonly route: string;
  readonly scheme: string;
}

function answerOf(
  { exchange, route, scheme }: EndedExchange,
  status: number,
  error: MillraceError | undefined,
): TracedAnswer {
  const { method, receivedMs, predictionId } = exchange;
  return {
    name: `${method} ${route}`,
    receivedMs,
    predictionId,
    attributes: {
      "http.request.method": method,
      "http.route": route,
      "http.response.status_code": status,
      "url.path": exchange.pathText,
      "url.scheme": scheme,
    },
    error,
  };
}
