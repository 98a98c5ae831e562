import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { ServingProcesses } from "./control-messages.ts";
import { forgetJson, logStatusJson } from "./log-status-json.ts";
import { readBody } from "./read-body.ts";
import { userName } from "./user-name.ts";

const BASE = "/api/v1/log";

const forgetting = z
  .strictObject({
    unit: z.string().min(1).max(1024).optional(),
    unit_hash: z
      .string()
      .regex(/^[0-9a-f]{32}$/)
      .optional(),
    reason: z.string().max(1000).default(""),
    by: z.string().min(1).max(128).optional(),
  })
  .refine(
    ({ unit, unit_hash: hash }) => (unit === undefined) !== (hash === undefined),
    "expected one of unit and unit_hash",
  );

/** The prediction log: how far it is, and what is taken out of it. */
export function addLogRoutes(app: FastifyInstance, processes: ServingProcesses): void {
  app.get(BASE, { config: { scope: "read" } }, async () =>
    logStatusJson(await processes.logStatus()),
  );

  app.post(`${BASE}/forget`, { config: { scope: "admin" } }, async ({ body, caller }) => {
    const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
    const { unit, unit_hash: unitHash, reason, by } = readBody(forgetting, bytes, "the order");
    const order = { reason, by: caller ?? by ?? userName() };
    const named = unit === undefined ? { unitHash: unitHash ?? "" } : { unit };
    return forgetJson(await processes.forget({ ...named, ...order }));
  });
}
