import type { Server } from "node:http";
import fastify, {
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import type { ServerConfig } from "../../config/config.ts";
import { MillraceError } from "../../core/errors.ts";
import { LoopLoad } from "../../core/overload/loop-load.ts";
import type { Logger } from "../../ports/logger.ts";
import { Auth } from "../auth.ts";
import type { DataPlane } from "../data-plane.ts";
import type { FeedbackIntake } from "../feedback/feedback-intake.ts";
import type { ModelRepository } from "../model-repository.ts";
import { readTls } from "../read-tls.ts";
import type { Readiness } from "../readiness.ts";
import { AccessLog } from "./access-log.ts";
import { answerClientError } from "./client-error.ts";
import { addDocsRoutes } from "./docs-routes.ts";
import { EarlyRefusals } from "./fast-lane/early-refusals.ts";
import type { FastLaneOptions } from "./fast-lane/fast-lane-options.ts";
import { FrontServer } from "./fast-lane/front-server.ts";
import { KEEP_ALIVE_MS, REQUEST_MS_MAX } from "./fast-lane/lane-connection.ts";
import { throughFastify } from "./fastify-exchange.ts";
import { problemSender } from "./fastify-problem.ts";
import { addFeedbackRoutes } from "./feedback-routes.ts";
import { addHealthRoutes } from "./health-routes.ts";
import { hotRoutes, type HotRoute } from "./hot-routes.ts";
import { addOipRoutes } from "./oip-routes.ts";
import { addPredictRoutes } from "./predict-routes.ts";
import { addRepositoryRoutes } from "./repository-routes.ts";
import { addRequestHooks } from "./request-hooks.ts";
import { requestIdOf } from "./request-id.ts";
import { RouteTable } from "./route-table.ts";
import { addScoringRoutes } from "./scoring-routes.ts";

export interface HttpServerOptions {
  readonly server: ServerConfig;
  /** Title of the API pages. */
  readonly title: string;
  readonly plane: DataPlane;
  readonly feedback: FeedbackIntake;
  readonly readiness: Readiness;
  readonly repository: ModelRepository;
  readonly log: Logger;
  readonly accessLog: Logger;
}

/** Builds the HTTP front end of the serve role; nothing listens yet. */
export async function createHttpServer(options: HttpServerOptions): Promise<FastifyInstance> {
  const { server, plane, readiness } = options;
  const sendProblem = problemSender(options.log);
  const parts: Parts = {
    auth: new Auth(server.keys),
    accessLog: new AccessLog(server.log.access, options.accessLog, plane.clock),
    hotRoutes: hotRoutes(plane),
  };
  const app = fastify({
    logger: false,
    bodyLimit: server.bodyBytesMax,
    requestIdHeader: false,
    genReqId: ({ headers }) => requestIdOf(headers["x-request-id"] as string | undefined),
    forceCloseConnections: "idle",
    return503OnClosing: false,
    requestTimeout: HTTP_OPTIONS.requestTimeout,
    keepAliveTimeout: HTTP_OPTIONS.keepAliveTimeout,
    clientErrorHandler: answerClientError,
    frameworkErrors(error, request, reply) {
      void reply.header("x-request-id", request.id);
      sendProblem(error, request, reply);
    },
    routerOptions: { maxParamLength: 256 },
    schemaController: { compilersFactory: NO_SCHEMAS },
    exposeHeadRoutes: true,
    ...nodeServer(options, parts),
  }) as FastifyInstance;

  app.server.maxConnections = CONNECTIONS_MAX;
  // An expectation that is not known asks for nothing (RFC 9110, section 10.1.1).
  app.server.on("checkExpectation", (request, response) => {
    app.server.emit("request", request, response);
  });
  // Every body arrives as bytes: routes judge its type and read it themselves, with bounds and positions.
  app.removeAllContentTypeParsers();
  // A pattern and not "*", which Fastify looks up anew for every request; "*" takes those without a type.
  const asBytes = (_request: unknown, body: Buffer, done: (error: null, body: Buffer) => void) =>
    done(null, body);
  app.addContentTypeParser(/^./, { parseAs: "buffer" }, asBytes);
  app.addContentTypeParser("*", { parseAs: "buffer" }, asBytes);

  if (server.corsOrigins.length > 0) {
    const { default: cors } = await import("@fastify/cors");
    await app.register(cors, { origin: [...server.corsOrigins], exposedHeaders: EXPOSED_HEADERS });
  }
  addRequestHooks(app, options, parts);

  const routes = new RouteTable();
  app.addHook("onRoute", (route) => routes.add(route.method, route.url));
  const isReady = (): boolean => readiness.isReady;
  for (const { url, handler } of parts.hotRoutes) {
    app.post(url, { config: { scope: "infer" } }, throughFastify(handler));
  }
  addPredictRoutes(app, plane);
  addFeedbackRoutes(app, options);
  addHealthRoutes(app, plane, readiness);
  addOipRoutes(app, plane, isReady);
  addRepositoryRoutes(app, plane, options.repository);
  addScoringRoutes(app, plane, isReady);
  addDocsRoutes(app, plane, options.title);

  const sendMiss = (request: FastifyRequest, reply: FastifyReply): void => {
    const error = routes.explainMiss(request.method, request.url);
    if (error.allow !== undefined) void reply.header("allow", error.allow);
    sendProblem(error.problem, request, reply);
  };
  app.setNotFoundHandler(sendMiss);
  app.setErrorHandler((error, request, reply) => {
    // Where there is no route, that is what is wrong, whatever Fastify has against the request besides.
    if (request.is404 && !(error instanceof MillraceError)) sendMiss(request, reply);
    else sendProblem(error, request, reply);
  });
  return app;
}

/** Connections open at a time; one more is closed at once. An idle one costs a few KiB. */
const CONNECTIONS_MAX = 10_000;

/** Of Node's server. A request without `host` gets a refusal in our words, from the hooks. */
const HTTP_OPTIONS = {
  requestTimeout: REQUEST_MS_MAX,
  keepAliveTimeout: KEEP_ALIVE_MS,
  requireHostHeader: false,
} as const;

const EXPOSED_HEADERS = [
  "x-prediction-id",
  "x-request-id",
  "x-model",
  "x-cache",
  "x-degraded",
  "x-degraded-steps",
  "x-model-variant",
  "inference-header-content-length",
  "x-error-code",
  "retry-after",
  "server-timing",
];

/** What both ways of a request share. */
interface Parts {
  readonly auth: Auth;
  readonly accessLog: AccessLog;
  readonly hotRoutes: readonly HotRoute[];
}

/**
 * Which of Node's servers Fastify uses. The fast lane is in front of a plain one: it has no TLS, and nothing to say
 * to web pages of other sites.
 */
function nodeServer(
  { server, plane, readiness, log }: HttpServerOptions,
  { auth, accessLog, hotRoutes: routes }: Parts,
): FastifyHttpOptions<Server> {
  if (server.tls !== undefined) {
    const https = { ...readTls(server.tls), ...HTTP_OPTIONS };
    return { https } as FastifyHttpOptions<Server>;
  }
  if (server.corsOrigins.length > 0) return { http: HTTP_OPTIONS };
  const refusals = new EarlyRefusals(plane, log);
  const lane: FastLaneOptions = {
    routes,
    auth,
    accessLog,
    log,
    clock: plane.clock,
    bodyBytesMax: server.bodyBytesMax,
    isDraining: () => readiness.isDraining,
    admit: (path) => refusals.admit(path),
    shed: (path) => refusals.shed(path),
    needsHead: ({ service }) => plane.needsHead(service),
    load: new LoopLoad(),
    busyMs: () => performance.eventLoopUtilization().active,
    objectiveMs: () => plane.services.objectiveMs,
  };
  return { serverFactory: (listener) => new FrontServer(HTTP_OPTIONS, listener, lane) };
}

/** Routes read their bodies themselves. Fastify's own compilers would be loaded all the same, for 30 ms of a start. */
const NO_SCHEMAS = {
  buildValidator: () => noSchemas,
  buildSerializer: () => noSchemas,
};

function noSchemas(): never {
  throw new Error("Cannot compile a schema: routes here have none");
}
