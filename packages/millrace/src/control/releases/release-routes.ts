import type { FastifyInstance, FastifyRequest } from "fastify";
import { readUnsetting } from "../change-body.ts";
import { userName } from "../user-name.ts";
import type { ReleaseController } from "./release-controller.ts";
import { releaseJson } from "./release-json.ts";
import type { ReleaseOrder } from "./release-parts.ts";

const COMMANDS = ["start", "pause", "resume", "approve", "abort", "retry"] as const;

type NamedRequest = FastifyRequest<{ Params: { readonly name: string } }>;

/** Experiments and shadows: where they are, what the numbers say, and what somebody tells them to do. */
export function addReleaseRoutes(app: FastifyInstance, releases: ReleaseController): void {
  const read = { config: { scope: "read" } } as const;
  const admin = { config: { scope: "admin" } } as const;

  app.get("/api/v1/experiments", read, async () => ({
    experiments: (await releases.experiments()).map(releaseJson),
  }));

  app.get("/api/v1/experiments/:name", read, async ({ params }: NamedRequest) =>
    releaseJson(await releases.experiment(params.name)),
  );

  for (const command of COMMANDS) {
    app.post(`/api/v1/experiments/:name/${command}`, admin, async (request: NamedRequest) =>
      releaseJson(await releases.command(request.params.name, command, orderOf(request))),
    );
  }

  app.get("/api/v1/shadows", read, async () => ({
    shadows: (await releases.shadows()).map(releaseJson),
  }));

  app.get("/api/v1/shadows/:name", read, async ({ params }: NamedRequest) =>
    releaseJson(await releases.shadow(params.name)),
  );

  for (const command of ["exclude", "include"] as const) {
    app.post(`/api/v1/shadows/:name/${command}`, admin, async (request: NamedRequest) =>
      releaseJson(await releases[command](request.params.name, orderOf(request))),
    );
  }
}

/** The name of the caller's key is who did it; where none is needed, who the caller says it is. */
function orderOf({ body, caller }: FastifyRequest): ReleaseOrder {
  const { by, reason } = readUnsetting(Buffer.isBuffer(body) ? body : Buffer.alloc(0));
  return { by: caller ?? by ?? userName(), reason };
}
