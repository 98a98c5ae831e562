import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ServerConfig } from "../../config/config.ts";
import { MillraceError } from "../../core/errors.ts";
import type { Auth } from "../auth.ts";
import type { DataPlane } from "../data-plane.ts";
import type { Readiness } from "../readiness.ts";
import type { AccessLog } from "./access-log.ts";
import { checkOrigin } from "./check-origin.ts";
import "./request-state.ts";

export interface RequestHooksOptions {
  readonly server: ServerConfig;
  readonly plane: DataPlane;
  readonly readiness: Readiness;
}

/** What happens to every request of Fastify's before and after its handler: the fast lane does the same. */
export function addRequestHooks(
  app: FastifyInstance,
  { server, plane, readiness }: RequestHooksOptions,
  { auth, accessLog }: { readonly auth: Auth; readonly accessLog: AccessLog },
): void {
  app.decorateRequest("receivedMs", 0);
  app.decorateRequest("onAnswered", undefined);
  app.decorateRequest("errorCode", undefined);
  app.decorateRequest("predictionId", undefined);
  app.decorateRequest("prediction", undefined);
  app.decorateRequest("caller", undefined);
  app.decorateRequest("rule", undefined);
  app.decorateRequest("variant", undefined);

  app.addHook("onRequest", (request, reply, done) => {
    request.receivedMs = plane.clock.nowMs();
    void reply.header("x-request-id", request.id);
    if (readiness.isDraining) void reply.header("connection", "close");
    try {
      checkHost(request);
      checkOrigin(request, server.corsOrigins);
      const scope = request.routeOptions.config.scope ?? "admin";
      if (!request.is404) {
        request.caller = auth.check(request.headers.authorization, scope);
      }
      done();
    } catch (error) {
      done(error as Error);
    }
  });
  app.addHook("onResponse", (request, reply, done) => {
    request.onAnswered?.();
    const { id: requestId, receivedMs, predictionId, prediction, rule, variant, method } = request;
    const facts = { requestId, receivedMs, predictionId, prediction, rule, variant };
    const route = request.routeOptions.url ?? "unknown";
    const { statusCode: status } = reply;
    accessLog.write(facts, { method, route, status, code: request.errorCode });
    done();
  });
}

/** HTTP/1.1 wants one: RFC 9112, section 3.2. @throws MALFORMED_REQUEST */
function checkHost({ raw }: FastifyRequest): void {
  if (raw.headers.host !== undefined || raw.httpVersion !== "1.1") return;
  throw new MillraceError("MALFORMED_REQUEST", "Cannot read the request: it has no host header");
}
