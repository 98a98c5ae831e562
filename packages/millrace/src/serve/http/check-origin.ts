import type { FastifyRequest } from "fastify";
import { MillraceError } from "../../core/errors.ts";

/**
 * Refuses what a page of another site makes a browser send: such a request carries an `Origin` that is neither
 * this server nor on the list. Programs send none.
 * @throws FORBIDDEN
 */
export function checkOrigin(request: FastifyRequest, allowed: readonly string[]): void {
  if (isOwnOrigin(request)) return;
  const { origin = "" } = request.headers;
  if (allowed.includes(origin) || allowed.includes("*")) return;
  throw new MillraceError(
    "FORBIDDEN",
    `Cannot accept a request from the origin ${JSON.stringify(origin)}: add it to server.cors.origins`,
  );
}

/** Does the request change nothing, or come from a page of this server, or from no page at all? */
export function isOwnOrigin({ method, headers }: FastifyRequest): boolean {
  const { origin, host } = headers;
  if (origin === undefined || method === "GET" || method === "HEAD") return true;
  return origin === `http://${host ?? ""}` || origin === `https://${host ?? ""}`;
}
