import type { FastifyRequest } from "fastify";
import { MillraceError } from "../../core/errors.ts";

/**
 * Refuses what a page of another site makes a browser send: such a request carries an `Origin` that is neither
 * this server nor on the list. Programs send none.
 * @throws FORBIDDEN
 */
export function checkOrigin(request: FastifyRequest, allowed: readonly string[]): void {
  const { origin, host } = request.headers;
  if (origin === undefined || request.method === "GET" || request.method === "HEAD") return;
  if (allowed.includes(origin) || allowed.includes("*")) return;
  if (origin === `http://${host ?? ""}` || origin === `https://${host ?? ""}`) return;
  throw new MillraceError(
    "FORBIDDEN",
    `Cannot accept a request from the origin ${JSON.stringify(origin)}: add it to server.cors.origins`,
  );
}
