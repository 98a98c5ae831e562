import { MillraceError } from "../../../core/errors.ts";
import type { Logger } from "../../../ports/logger.ts";
import type { DataPlane } from "../../data-plane.ts";
import type { Answer } from "../exchange.ts";
import type { HotRoute } from "../hot-routes.ts";
import { problemAnswer } from "../problem.ts";
import type { HotPath } from "./hot-paths.ts";

type Refusing = Pick<DataPlane, "refuseEarly" | "isRefusable" | "countRefusal">;

/**
 * Refuses requests by their path alone. Each answer is made once for its route and reason, without the id of any
 * request, so that refusing costs as little as it can.
 */
export class EarlyRefusals {
  readonly #plane: Refusing;
  readonly #log: Logger;
  readonly #answers = new Map<HotRoute, Map<string, Answer>>();

  constructor(plane: Refusing, log: Logger) {
    this.#plane = plane;
    this.#log = log;
  }

  /** @returns undefined when the service takes the request. */
  admit(path: HotPath): Answer | undefined {
    const reason = this.#plane.refuseEarly(path.service);
    return reason === undefined ? undefined : this.#answer(path.route, reason);
  }

  /** Refuses because the event loop has too much to do. @returns undefined when the service answers overloads otherwise. */
  shed(path: HotPath): Answer | undefined {
    if (!this.#plane.isRefusable(path.service)) return undefined;
    this.#plane.countRefusal(path.service, "concurrency");
    return this.#answer(path.route, "concurrency");
  }

  #answer(route: HotRoute, reason: string): Answer {
    let byReason = this.#answers.get(route);
    if (byReason === undefined) {
      byReason = new Map();
      this.#answers.set(route, byReason);
    }
    let answer = byReason.get(reason);
    if (answer === undefined) {
      const message = `Cannot predict: ${STATES[reason] ?? "the server has too much to do"}`;
      const error = MillraceError.withoutStack("OVERLOADED", message, {
        reason,
        retryAfterSeconds: 1,
      });
      const failed = { requestId: undefined, predictionId: undefined, url: route.url };
      answer = problemAnswer(error, failed, this.#log);
      byReason.set(reason, answer);
    }
    return answer;
  }
}

const STATES: Readonly<Record<string, string>> = {
  concurrency: "as many requests are in work as the server can answer in time",
  queue: "as many requests are waiting as may",
  predicted_deadline: "the answer would come after its deadline",
};
