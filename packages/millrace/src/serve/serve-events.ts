import { messageOf } from "../core/message-of.ts";
import type { Clock } from "../core/clock.ts";
import { ERRORS, MillraceError } from "../core/errors.ts";
import { LineLimit } from "../core/line-limit.ts";
import type { GraphEvents } from "../graphs/service-graphs.ts";
import type { ModelEvents } from "../models/models-options.ts";
import type { LoggerFor } from "../ports/logger.ts";
import type { PredictionEvents } from "./answers.ts";
import type { ServeMetrics } from "./serve-metrics.ts";
import type { ShadowEvents } from "./shadows/service-shadow.ts";

/** What happens in the serve role, as its log and its metrics tell it. */

export function graphEvents(loggerFor: LoggerFor, metrics: ServeMetrics): GraphEvents {
  const log = loggerFor("graphs");
  return {
    built(service, graph) {
      log.info({ service, models: graph.id, sha256: graph.digest }, `Graph of ${service} serves`);
    },
    refused(service, reason, isServing) {
      const rest = isServing ? "the one before serves" : "it is not ready";
      log.error({ service, reason }, `Graph of ${service} cannot be made: ${reason}; ${rest}`);
    },
    invalidAttributes: (service, count) => metrics.countInvalidAttributes(service, count),
  };
}

/** A step that keeps failing is told about this often: its degraded answers may be thousands a second. */
const DEGRADED_EVERY_MS = 1_000;

/** An answer that lacks something is no error of the client's, so its cause is told here. */
export function predictionEvents(loggerFor: LoggerFor, clock: Clock): PredictionEvents {
  const log = loggerFor("graphs");
  const limit = new LineLimit(clock, DEGRADED_EVERY_MS);
  return {
    degraded(service, { predictionId, requestId }, { step, kind, code, cause }) {
      const heldBack = limit.pass(`${service} ${step} ${code}`);
      if (heldBack === undefined) return;
      const isDefect = ERRORS[code].status === 500;
      const more = heldBack === 0 ? {} : { moreSinceLast: heldBack };
      const fields = { service, requestId, predictionId, step, kind, code, ...more };
      const text = `Step ${step} of ${service} failed: ${messageOf(cause)}`;
      log.warn(isDefect ? { ...fields, err: rootOf(cause) } : fields, text);
    },
  };
}

/** What was thrown first: the errors around it say the same again, each with its own place. */
function rootOf(error: unknown): unknown {
  let root = error;
  while (root instanceof MillraceError && root.cause !== undefined) root = root.cause;
  return root;
}

export function modelEvents(
  loggerFor: LoggerFor,
  metrics: ServeMetrics,
): Omit<ModelEvents, "changed"> {
  const log = loggerFor("models");
  return {
    loaded(version, tookMs) {
      metrics.countLoad(version.modelName, tookMs);
      const { sha256, loadedSha256, changes } = version.description;
      const rewritten = changes.length === 0 ? {} : { loadedSha256, changes };
      const fields = { model: version.id, path: version.path, sha256, ...rewritten };
      log.info({ ...fields, ms: Math.round(tookMs) }, `Model ${version.id} loaded`);
    },
    switched(next, previous) {
      const fields = { model: next.id, previous: previous?.id, path: next.path };
      const { fallbackReason } = next;
      if (fallbackReason === undefined) log.info(fields, `Model ${next.id} serves`);
      else {
        log.warn(
          { ...fields, reason: fallbackReason },
          `Model ${next.id} serves as the fallback: ${fallbackReason}`,
        );
      }
    },
    released(version) {
      log.info({ model: version.id }, `Model ${version.id} drained and released`);
    },
    failed(model, reason, serving) {
      metrics.countLoadFailure(model);
      const rest = serving === undefined ? "it is not ready" : `${serving.id} serves`;
      const fields = { model, reason, serving: serving?.id };
      log.error(fields, `Model ${model} failed to load: ${reason}; ${rest}`);
    },
    batchEnded(model, version, rows) {
      metrics.batchRows(model, version).observe(rows);
    },
    ...executorEvents(loggerFor),
    breakerMoved(model, from, to) {
      const text = `Breaker of model ${model}: ${from} → ${to}`;
      if (to === "open") log.error({ model, from, to }, text);
      else log.info({ model, from, to }, text);
    },
    recovered(serving) {
      log.info(
        { model: serving.id },
        `Model ${serving.modelName} loads again; ${serving.id} serves`,
      );
    },
  };
}

/** A shadow whose comparisons or runs fail is told about this often. */
const SHADOW_EVERY_MS = 10_000;

export function shadowEvents(loggerFor: LoggerFor, clock: Clock): ShadowEvents {
  const log = loggerFor("shadows");
  const limit = new LineLimit(clock, SHADOW_EVERY_MS);
  return {
    unfit(service, shadow, model, why) {
      const text = `Shadow ${shadow} of ${service} takes other inputs: ${why}`;
      log.error({ service, shadow, model }, text);
    },
    failed(service, shadow, error) {
      const heldBack = limit.pass(`${service} ${shadow}`);
      if (heldBack === undefined) return;
      const text = `Cannot compare with shadow ${shadow} of ${service}: ${messageOf(error)}`;
      log.error({ service, shadow, moreSinceLast: heldBack, err: error }, text);
    },
    breakerMoved(service, shadow, from, to) {
      const text = `Breaker of shadow ${shadow} of ${service}: ${from} → ${to}`;
      const fields = { service, shadow, from, to };
      if (to === "open") log.warn(fields, text);
      else log.info(fields, text);
    },
  };
}

type ExecutorEvents = Pick<ModelEvents, "executorLost" | "executorBack" | "executorNotBack">;

function executorEvents(loggerFor: LoggerFor): ExecutorEvents {
  const log = loggerFor("models");
  return {
    executorLost(model, reason, backInMs) {
      const { message, cause } = reason;
      const isHeld = backInMs === Infinity;
      const fields = {
        model,
        reason: message,
        ...(isHeld ? {} : { backInMs: Math.round(backInMs) }),
        ...(cause === undefined ? {} : { err: cause }),
      };
      const next = isHeld
        ? "too many hang already, so it starts again when one of them has ended"
        : "it starts again";
      log.error(fields, `A thread of model ${model} is lost: ${message}; ${next}`);
    },
    executorBack(model) {
      log.info({ model }, `A thread of model ${model} runs again`);
    },
    executorNotBack(model, reason, backInMs) {
      const text = reason instanceof Error ? reason.message : String(reason);
      const fields = { model, reason: text, backInMs: Math.round(backInMs) };
      log.error(fields, `A thread of model ${model} did not start again: ${text}`);
    },
  };
}
