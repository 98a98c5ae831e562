import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import type { ApiKey, Scope } from "../../config/config.ts";
import { MillraceError } from "../../core/errors.ts";
import type { RouteScope } from "./request-state.ts";

/** `admin` may do everything, `infer` may also look at what it calls. */
const GRANTS: Readonly<Record<Scope, readonly Scope[]>> = {
  read: ["read"],
  infer: ["infer", "read"],
  admin: ["admin", "infer", "read"],
};

/**
 * Decides who may call what; the one place that does. Without keys everybody may predict and look, and nobody
 * is admin.
 */
export class Auth {
  readonly #keys: readonly { readonly digest: Buffer; readonly scopes: ReadonlySet<Scope> }[];

  constructor(keys: readonly ApiKey[]) {
    this.#keys = keys.map((key) => ({
      digest: digestOf(key.secret),
      scopes: new Set(key.scopes.flatMap((scope) => GRANTS[scope])),
    }));
  }

  /** @throws UNAUTHENTICATED without a known key, FORBIDDEN with a key that lacks the scope. */
  check(request: FastifyRequest, scope: RouteScope): void {
    if (scope === "none") return;
    if (this.#keys.length === 0) {
      if (scope !== "admin") return;
      throw new MillraceError(
        "FORBIDDEN",
        'Cannot do this without a key: add one with the scope "admin" to server.auth.keys',
      );
    }
    const scopes = this.#scopesOf(request.headers.authorization);
    if (scopes === undefined) {
      throw new MillraceError(
        "UNAUTHENTICATED",
        "Cannot do this without a key: send Authorization: Bearer <key>",
      );
    }
    if (!scopes.has(scope)) {
      throw new MillraceError("FORBIDDEN", `Cannot do this: the key lacks the scope "${scope}"`);
    }
  }

  /** Compares digests of equal length, with every key, so that time tells nothing about any of them. */
  #scopesOf(header: string | undefined): ReadonlySet<Scope> | undefined {
    const [, secret] = /^Bearer (\S{1,1024})$/i.exec(header ?? "") ?? [];
    if (secret === undefined) return undefined;
    const digest = digestOf(secret);
    let found: ReadonlySet<Scope> | undefined;
    for (const key of this.#keys) if (timingSafeEqual(key.digest, digest)) found = key.scopes;
    return found;
  }
}

function digestOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

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
