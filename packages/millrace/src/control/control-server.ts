import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { ServerConfig } from "../config/config.ts";
import { MillraceError } from "../core/errors.ts";
import type { Logger } from "../ports/logger.ts";
import { isOwnOrigin } from "../serve/http/check-origin.ts";
import { answerClientError } from "../serve/http/client-error.ts";
import { problemSender } from "../serve/http/fastify-problem.ts";
import { requestIdOf } from "../serve/http/request-id.ts";
import { RouteTable } from "../serve/http/route-table.ts";
import { readTls } from "../serve/read-tls.ts";
import { ControlAccess } from "./control-access.ts";

/** A change is small. */
const BODY_BYTES_MAX = 1024 * 1024;
/** Longest path of the configuration in an address. */
const PATH_CHARACTERS_MAX = 1024;
const REQUEST_MS_MAX = 30_000;

/**
 * The HTTP server of the control role, with nothing but what every request to it has in common: who may call, and
 * how errors look. Bodies arrive as bytes. `checkControlKeys` goes before it.
 */
export function createControlServer(
  server: ServerConfig,
  log: Logger,
  addRoutes: (app: FastifyInstance, access: ControlAccess) => void,
): FastifyInstance {
  const access = new ControlAccess(server);
  const sendProblem = problemSender(log);
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestIdHeader: false,
    genReqId: ({ headers }) => requestIdOf(headers["x-request-id"] as string | undefined),
    requestTimeout: REQUEST_MS_MAX,
    clientErrorHandler: answerClientError,
    frameworkErrors: sendProblem,
    routerOptions: { maxParamLength: PATH_CHARACTERS_MAX },
    exposeHeadRoutes: true,
    https: server.tls === undefined ? null : readTls(server.tls),
  }) as FastifyInstance;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));

  app.decorateRequest("caller", undefined);
  app.decorateRequest("errorCode", undefined);
  app.addHook("onRequest", (request, reply, done) => {
    void reply.header("x-request-id", request.id);
    void reply.header("cache-control", "no-store");
    try {
      if (!isOwnOrigin(request)) throw foreignOrigin(request);
      if (!request.is404) {
        request.caller = access.check(
          request.headers,
          request.routeOptions.config.scope ?? "admin",
        );
      }
      done();
    } catch (error) {
      done(error as Error);
    }
  });

  const routes = new RouteTable();
  app.addHook("onRoute", (route) => routes.add(route.method, route.url));
  addRoutes(app, access);
  const sendMiss = (request: FastifyRequest, reply: FastifyReply): void => {
    const miss = routes.explainMiss(request.method, request.url);
    if (miss.allow !== undefined) void reply.header("allow", miss.allow);
    sendProblem(miss.problem, request, reply);
  };
  app.setNotFoundHandler(sendMiss);
  app.setErrorHandler((error, request, reply) => {
    if (request.is404 && !(error instanceof MillraceError)) sendMiss(request, reply);
    else sendProblem(error, request, reply);
  });
  return app;
}

/** `server.cors.origins` says whose pages may predict; none may change anything here. */
function foreignOrigin({ headers: { origin = "" } }: FastifyRequest): MillraceError {
  const shown = JSON.stringify(origin);
  return new MillraceError(
    "FORBIDDEN",
    `Cannot accept a request from the origin ${shown}: it is another site`,
  );
}
