import type { Clock } from "../../../core/clock.ts";
import type { LoopLoad } from "../../../core/overload/loop-load.ts";
import type { Logger } from "../../../ports/logger.ts";
import type { Auth } from "../../auth.ts";
import type { AccessLog } from "../access-log.ts";
import type { Answer } from "../exchange.ts";
import type { HotRoute } from "../hot-routes.ts";
import type { HotPath } from "./hot-paths.ts";

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
   */
  readonly admit: (path: HotPath) => Answer | undefined;
  /** Asked instead of `admit` for what the event loop has no time for; undefined lets the request pass all the same. */
  readonly shed: (path: HotPath) => Answer | undefined;
  /** May a rule or a step ask for headers that the lane does not keep? */
  readonly needsHead: (path: HotPath) => boolean;
  /** Learns what requests cost the event loop. */
  readonly load: LoopLoad;
  /** Time that the event loop has worked, in milliseconds; only differences mean something. */
  readonly busyMs: () => number;
  /** Smallest latency objective in force, in milliseconds. */
  readonly objectiveMs: () => number;
}
