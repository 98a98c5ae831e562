import type { LogConfig } from "../../config/config.ts";
import type { Clock } from "../../core/clock.ts";
import type { ErrorCode } from "../../core/errors.ts";
import type { Logger } from "../../ports/logger.ts";
import type { RequestFacts } from "./exchange.ts";

/** What the line about a request says besides what the request knows itself. */
export interface AccessEntry {
  readonly method: string;
  /** Pattern of the route: a path would be different for every made-up name. */
  readonly route: string;
  readonly status: number;
  readonly code: ErrorCode | undefined;
}

/** One line per answered request, or only for those that failed, or none. */
export class AccessLog {
  readonly #statusMin: number;
  readonly #log: Logger;
  readonly #clock: Clock;

  constructor(access: LogConfig["access"], log: Logger, clock: Clock) {
    this.#statusMin = { all: 0, errors: 400, off: Infinity }[access];
    this.#log = log;
    this.#clock = clock;
  }

  write(request: RequestFacts, { method, route, status, code }: AccessEntry): void {
    if (status < this.#statusMin) return;
    const { prediction } = request;
    this.#log.info(
      {
        requestId: request.requestId,
        method,
        route,
        status,
        code,
        ms: rounded(this.#clock.nowMs() - request.receivedMs),
        predictionId: request.predictionId,
        model: prediction?.model,
        rule: request.rule,
        variant: request.variant,
        cache: prediction?.cache,
        degraded: prediction?.degraded,
        queueMs: prediction && rounded(prediction.queueMs),
        inferMs: prediction && rounded(prediction.computeMs),
      },
      `${method} ${status}`,
    );
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
