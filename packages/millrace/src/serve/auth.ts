import { createHash, timingSafeEqual } from "node:crypto";
import type { ApiKey, Scope } from "../config/config.ts";
import { MillraceError } from "../core/errors.ts";

/** What a route needs of the caller; `none` is for probes. A route that says nothing needs `admin`. */
export type RouteScope = Scope | "none";

/** `admin` may do everything, `infer` may also look at what it calls. */
const GRANTS: Readonly<Record<Scope, readonly Scope[]>> = {
  read: ["read"],
  infer: ["infer", "read"],
  admin: ["admin", "infer", "read"],
};

interface KnownKey {
  readonly name: string;
  readonly digest: Buffer;
  readonly scopes: ReadonlySet<Scope>;
}

/**
 * Decides who may call what; the one place that does, for every protocol. Without keys everybody may predict and
 * look, and nobody is admin.
 */
export class Auth {
  readonly #keys: readonly KnownKey[];

  constructor(keys: readonly ApiKey[]) {
    this.#keys = keys.map((key) => ({
      name: key.name,
      digest: digestOf(key.secret),
      scopes: new Set(key.scopes.flatMap((scope) => GRANTS[scope])),
    }));
  }

  /**
   * @param authorization value of the header or metadata entry of that name.
   * @returns the name of the caller's key; undefined where none was needed.
   * @throws UNAUTHENTICATED without a known key, FORBIDDEN with a key that lacks the scope.
   */
  check(authorization: string | undefined, scope: RouteScope): string | undefined {
    if (scope === "none") return undefined;
    if (this.#keys.length === 0) {
      if (scope !== "admin") return undefined;
      throw new MillraceError(
        "FORBIDDEN",
        'Cannot do this without a key: add one with the scope "admin" to server.auth.keys',
      );
    }
    const key = this.#find(authorization);
    if (key === undefined) {
      throw new MillraceError(
        "UNAUTHENTICATED",
        "Cannot do this without a key: send Authorization: Bearer <key>",
      );
    }
    if (!key.scopes.has(scope)) {
      throw new MillraceError("FORBIDDEN", `Cannot do this: the key lacks the scope "${scope}"`);
    }
    return key.name;
  }

  /** Compares digests of equal length, with every key, so that time tells nothing about any of them. */
  #find(authorization: string | undefined): KnownKey | undefined {
    const [, secret] = /^Bearer (\S{1,1024})$/i.exec(authorization ?? "") ?? [];
    if (secret === undefined) return undefined;
    const digest = digestOf(secret);
    let found: KnownKey | undefined;
    for (const key of this.#keys) if (timingSafeEqual(key.digest, digest)) found = key;
    return found;
  }
}

function digestOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
