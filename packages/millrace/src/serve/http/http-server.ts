import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { createSecureContext } from "node:tls";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { ServerConfig } from "../../config/config.ts";
import { MillraceError } from "../../core/errors.ts";
import type { Logger } from "../../ports/logger.ts";
import type { DataPlane } from "../data-plane.ts";
import { StartError } from "../listen.ts";
import type { Readiness } from "../readiness.ts";
import { Auth, checkOrigin } from "./auth.ts";
import { answerClientError } from "./client-error.ts";
import { addDocsRoutes } from "./docs-routes.ts";
import { addHealthRoutes } from "./health-routes.ts";
import { addOipRoutes } from "./oip-routes.ts";
import { addPredictRoutes } from "./predict-routes.ts";
import { problemSender } from "./problem.ts";
import { addRepositoryRoutes, type ModelRepository } from "./repository-routes.ts";
import "./request-state.ts";
import { RouteTable } from "./route-table.ts";
import { addScoringRoutes } from "./scoring-routes.ts";

export interface HttpServerOptions {
  readonly server: ServerConfig;
  /** Title of the API pages. */
  readonly title: string;
  readonly plane: DataPlane;
  readonly readiness: Readiness;
  readonly repository: ModelRepository;
  readonly log: Logger;
  readonly accessLog: Logger;
}

/** Builds the HTTP front end of the serve role; nothing listens yet. */
export async function createHttpServer(options: HttpServerOptions): Promise<FastifyInstance> {
  const { server, plane, readiness } = options;
  const sendProblem = problemSender(options.log);
  const app = fastify({
    logger: false,
    bodyLimit: server.bodyBytesMax,
    requestIdHeader: false,
    genReqId: requestIdOf,
    forceCloseConnections: "idle",
    return503OnClosing: false,
    requestTimeout: REQUEST_MS_MAX,
    clientErrorHandler: answerClientError,
    frameworkErrors(error, request, reply) {
      void reply.header("x-request-id", request.id);
      sendProblem(error, request, reply);
    },
    routerOptions: { maxParamLength: 256 },
    exposeHeadRoutes: true,
    ...(server.tls === undefined ? {} : { https: readTls(server.tls) }),
  }) as FastifyInstance;

  app.decorateRequest("receivedMs", 0);
  app.decorateRequest("onAnswered", undefined);
  app.decorateRequest("errorCode", undefined);
  app.decorateRequest("predictionId", undefined);
  app.decorateRequest("prediction", undefined);
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
  addGuards(app, options);
  addAccessLog(app, options);

  const routes = new RouteTable();
  app.addHook("onRoute", (route) => routes.add(route.method, route.url));
  const isReady = (): boolean => readiness.isReady;
  addPredictRoutes(app, plane);
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

/** Longest time a request may take to arrive, headers and body: a slow client must not hold a connection for ever. */
const REQUEST_MS_MAX = 300_000;

const EXPOSED_HEADERS = [
  "x-prediction-id",
  "x-request-id",
  "x-model",
  "x-degraded",
  "x-error-code",
  "retry-after",
  "server-timing",
];

function addGuards(app: FastifyInstance, { server, plane, readiness }: HttpServerOptions): void {
  const auth = new Auth(server.keys);
  app.addHook("onRequest", (request, reply, done) => {
    request.receivedMs = plane.clock.nowMs();
    void reply.header("x-request-id", request.id);
    if (readiness.isDraining) void reply.header("connection", "close");
    try {
      checkOrigin(request, server.corsOrigins);
      if (!request.is404) auth.check(request, request.routeOptions.config.scope ?? "admin");
      done();
    } catch (error) {
      done(error as Error);
    }
  });
  app.addHook("onResponse", (request, _reply, done) => {
    request.onAnswered?.();
    done();
  });
}

function addAccessLog(app: FastifyInstance, { server, plane, accessLog }: HttpServerOptions): void {
  if (server.log.access === "off") return;
  const isErrorsOnly = server.log.access === "errors";
  app.addHook("onResponse", (request, reply, done) => {
    const { statusCode } = reply;
    if (!isErrorsOnly || statusCode >= 400) {
      const { prediction } = request;
      accessLog.info(
        {
          requestId: request.id,
          method: request.method,
          route: request.routeOptions.url ?? "unknown",
          status: statusCode,
          code: request.errorCode,
          ms: rounded(plane.clock.nowMs() - request.receivedMs),
          predictionId: request.predictionId,
          model: prediction?.version.id,
          queueMs: prediction && rounded(prediction.queueMs),
          inferMs: prediction && rounded(prediction.computeMs),
        },
        `${request.method} ${statusCode}`,
      );
    }
    done();
  });
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** The client's id when it is short and harmless in a log, else a new one. */
function requestIdOf(raw: IncomingMessage): string {
  const header = raw.headers["x-request-id"];
  return typeof header === "string" && /^[\w.:/+=@-]{1,128}$/.test(header) ? header : randomUUID();
}

/** @throws StartError when the files are not a certificate and its key. */
function readTls(tls: { readonly certPath: string; readonly keyPath: string }): {
  cert: Buffer;
  key: Buffer;
} {
  try {
    const files = { cert: readFileSync(tls.certPath), key: readFileSync(tls.keyPath) };
    createSecureContext(files);
    return files;
  } catch (error) {
    throw new StartError(
      `Cannot use server.tls (cert ${tls.certPath}, key ${tls.keyPath}): ${(error as Error).message}`,
      error,
    );
  }
}
