import type { ServerConfig } from "../../config/config.ts";
import type { MillraceError } from "../../core/errors.ts";
import type { Logger } from "../../ports/logger.ts";
import { Auth } from "../auth.ts";
import type { DataPlane } from "../data-plane.ts";
import type { ModelRepository } from "../model-repository.ts";
import { isModelReady } from "../oip/target-of.ts";
import { readTls } from "../read-tls.ts";
import type { Readiness } from "../readiness.ts";
import { GrpcServer } from "./grpc-server.ts";
import { HEALTH_SERVICE, healthRpcs, type HealthOf } from "./health-rpcs.ts";
import { inferenceRpcs } from "./inference-rpcs.ts";
import { INFERENCE_SERVICE } from "./inference-service.ts";
import { REFLECTION_SERVICES, reflectionRpc } from "./reflection-rpcs.ts";
import type { RpcStream } from "./rpc-stream.ts";
import type { Rpc } from "./rpc.ts";
import { statusOf } from "./status.ts";

export interface CreateGrpcServerOptions {
  readonly server: ServerConfig;
  readonly plane: DataPlane;
  readonly readiness: Readiness;
  readonly repository: ModelRepository;
  readonly log: Logger;
  readonly accessLog: Logger;
}

/** Builds the gRPC front end of the serve role: inference, health and reflection; nothing listens yet. */
export function createGrpcServer(options: CreateGrpcServerOptions): GrpcServer {
  const { server, plane, readiness, repository, log } = options;
  const isReady = (): boolean => readiness.isReady;
  const healthOf = healthOfModels(plane, isReady);
  const services = [INFERENCE_SERVICE, HEALTH_SERVICE, ...REFLECTION_SERVICES];
  const reflection = { ServerReflectionInfo: reflectionRpc(services) };
  const rpcs = new Map<string, Rpc>();
  const add = (service: string, methods: Readonly<Record<string, Rpc>>): void => {
    for (const [method, rpc] of Object.entries(methods)) rpcs.set(`/${service}/${method}`, rpc);
  };
  add(INFERENCE_SERVICE.name, inferenceRpcs({ plane, isReady, repository, log }));
  add(HEALTH_SERVICE.name, healthRpcs(healthOf, plane.clock));
  for (const { name } of REFLECTION_SERVICES) add(name, reflection);
  return new GrpcServer({
    rpcs,
    auth: new Auth(server.keys),
    clock: plane.clock,
    messageBytesMax: server.bodyBytesMax,
    tls: server.tls === undefined ? undefined : readTls(server.tls),
    log,
    onCall: accessLogger(options),
  });
}

/** The empty name and that of the inference service mean the server; other names are models. */
function healthOfModels(plane: DataPlane, isReady: () => boolean): HealthOf {
  return (name) => {
    if (name === "" || name === INFERENCE_SERVICE.name) return isReady();
    const isModel = plane.services.all.some((service) => service.name === name);
    return isModel ? isModelReady(plane, name, undefined) : undefined;
  };
}

function accessLogger({ server, plane, accessLog }: CreateGrpcServerOptions) {
  if (server.log.access === "off") return undefined;
  const isErrorsOnly = server.log.access === "errors";
  return (call: RpcStream, error: MillraceError | undefined): void => {
    if (isErrorsOnly && error === undefined) return;
    const { path, predictionId, prediction } = call;
    const status = error === undefined ? 0 : statusOf(error.code);
    const fields = {
      method: "gRPC",
      route: path,
      status,
      code: error?.code,
      ms: rounded(plane.clock.nowMs() - call.receivedMs),
      predictionId,
      model: prediction?.model,
      cache: prediction?.cache,
      degraded: prediction?.degraded,
      queueMs: prediction && rounded(prediction.queueMs),
      inferMs: prediction && rounded(prediction.computeMs),
    };
    accessLog.info(fields, `gRPC ${status}`);
  };
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
