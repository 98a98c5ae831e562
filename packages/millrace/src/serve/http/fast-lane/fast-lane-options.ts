import type { Clock } from "../../../core/clock.ts";
import type { Logger } from "../../../ports/logger.ts";
import type { Auth } from "../../auth.ts";
import type { AccessLog } from "../access-log.ts";
import type { Answer } from "../exchange.ts";
import type { HotRoute } from "../hot-routes.ts";

/** What the fast lane stands on. */
export interface FastLaneOptions {
  readonly routes: readonly HotRoute[];
  readonly auth: Auth;
  readonly clock: Clock;
  readonly log: Logger;
  readonly accessLog: AccessLog;
  /** A longer body is Node's parser's to refuse. */
  readonly bodyBytesMax: number;
  /** Replies that end now close their connection. */
  readonly isDraining: () => boolean;
  /**
   * Asked when a head was read, before its body is: an answer refuses the request. To cost next to nothing it is
   * written without the request's id, without a line in the access log, and as bytes that are made once: give the
   * same object each time.
   * @param service named in the path; undefined is the default one.
   */
  readonly admit: (service: string | undefined) => Answer | undefined;
}
