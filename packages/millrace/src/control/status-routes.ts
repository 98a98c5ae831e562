import type { FastifyInstance } from "fastify";
import { MILLRACE_VERSION } from "../version.ts";
import type { ServingProcesses, UpStatus } from "./control-messages.ts";
import type { OverrideChanges } from "./override-changes.ts";
import { isoTime } from "./override-json.ts";

/** What runs, and what is in force. */
export function addStatusRoutes(
  app: FastifyInstance,
  changes: OverrideChanges,
  {
    processes,
    startedAtMs,
  }: { readonly processes: ServingProcesses; readonly startedAtMs: number },
): void {
  const read = { config: { scope: "read" } } as const;

  app.get("/api/v1/status", read, async () =>
    statusJson(await processes.status(), changes.state.overrides.length, startedAtMs),
  );

  app.get<{ Querystring: { readonly path?: string } }>(
    "/api/v1/config",
    read,
    async ({ query }) => {
      const rows = await processes.liveValues(query.path);
      return {
        override_version: changes.state.version,
        live: rows.map(({ path, value, source }) => ({ path, value: value ?? null, source })),
      };
    },
  );
}

function statusJson(status: UpStatus, overrideCount: number, startedAtMs: number): object {
  const { name, overrideVersion, setAside, processes, models, services } = status;
  return {
    name,
    millrace: MILLRACE_VERSION,
    started_at: isoTime(startedAtMs),
    override_version: overrideVersion,
    overrides: { count: overrideCount, set_aside: setAside },
    processes,
    models: models.map(({ isReady, isRequired, fallbackReason, problem, ...model }) => ({
      name: model.name,
      versions: model.versions,
      ready: isReady,
      required: isRequired,
      fallback_reason: fallbackReason ?? null,
      problem: problem ?? null,
    })),
    services: services.map(({ name: service, isDefault, runs, problem, limits }) => ({
      name: service,
      default: isDefault,
      runs,
      problem: problem ?? null,
      limits,
    })),
  };
}
