import type { FastifyInstance } from "fastify";
import type { DataPlane } from "../data-plane.ts";
import type { Readiness } from "../readiness.ts";

/** `/health` for load balancers and people: ready or why not. */
export function addHealthRoutes(
  app: FastifyInstance,
  plane: DataPlane,
  readiness: Readiness,
): void {
  const probe = { config: { scope: "none" } } as const;
  app.get("/health", probe, async (_request, reply) => {
    const problems = readiness.problems();
    const detail = problems.length === 0 ? {} : { reason: problems.join("; ") };
    if (readiness.isReady) return { health: "ok", ...detail };
    void reply.code(503).header("retry-after", 1);
    return { health: "ng", ...detail };
  });
  app.get("/health/all", probe, async () => readiness.parts());
  app.get("/services/:service/health/all", probe, async (request) => {
    const { service } = request.params as { service: string };
    return readiness.partsOf(plane.services.get(service));
  });
  app.get("/services/:service/health", probe, async (request, reply) => {
    const { service } = request.params as { service: string };
    const { isReady, problem } = readiness.ofService(plane.services.get(service));
    const detail = problem === undefined ? {} : { reason: problem };
    if (isReady && !readiness.isDraining) return { health: "ok", ...detail };
    void reply.code(503).header("retry-after", 1);
    return { health: "ng", ...detail };
  });
}
