import type { FastifyInstance, FastifyRequest } from "fastify";
import type { DataPlane, Target } from "../data-plane.ts";
import { recentBatches } from "../oip/batches.ts";
import { modelConfig } from "../oip/model-config.ts";
import { modelMetadata } from "../oip/model-metadata.ts";
import { modelStatistics } from "../oip/model-statistics.ts";
import { serverMetadata } from "../oip/server-metadata.ts";
import { isModelReady, targetOf } from "../oip/target-of.ts";

interface ModelParams {
  readonly model: string;
  readonly version?: string;
}

/**
 * The Open Inference Protocol V2 over REST besides inference, which is a hot route; a service is a model here too.
 */
export function addOipRoutes(app: FastifyInstance, plane: DataPlane, isReady: () => boolean): void {
  const probe = { config: { scope: "none" } } as const;
  const read = { config: { scope: "read" } } as const;
  app.get("/v2", read, async () => serverMetadata());
  // Both keys at once: the specification says "live", KServe's client reads "ready" here.
  app.get("/v2/health/live", probe, async () => ({ live: true, ready: isReady() }));
  app.get("/v2/health/ready", probe, async (_request, reply) => {
    const ready = isReady();
    if (!ready) void reply.code(503).header("retry-after", 1);
    return { live: true, ready };
  });
  app.get("/v2/models", read, async () => ({
    models: plane.services.all.map((service) => service.name),
  }));
  app.get("/v2/models/stats", read, async () => ({ model_stats: modelStatistics(plane) }));
  for (const path of ["/v2/models/:model", "/v2/models/:model/versions/:version"]) {
    app.get(path, read, async (request) => modelMetadata(plane, named(plane, request)));
    app.get(`${path}/ready`, probe, async (request, reply) => {
      const { model, version } = request.params as ModelParams;
      const ready = isModelReady(plane, model, version);
      if (!ready) void reply.code(503).header("retry-after", 1);
      return { name: model, ready };
    });
    app.get(`${path}/config`, read, async (request) => modelConfig(plane, named(plane, request)));
    app.get(`${path}/stats`, read, async (request) => {
      const { model, version } = request.params as ModelParams;
      return { model_stats: modelStatistics(plane, model, version) };
    });
    app.get(`${path}/batches`, read, async (request) => {
      const { service, predictor } = named(plane, request);
      const batches = recentBatches(predictor);
      return { name: service.name, version: String(predictor.version), batches };
    });
  }
}

function named(plane: DataPlane, request: FastifyRequest): Target {
  const { model, version } = request.params as ModelParams;
  return targetOf(plane, model, version);
}
