import { isIPv4 } from "node:net";
import type { ServerConfig } from "../config/config.ts";
import { MillraceError } from "../core/errors.ts";
import { Auth, type RouteScope } from "../serve/auth.ts";
import { WrongConfigError } from "../serve/listen.ts";

/** What a request to the control role shows of its caller. */
export interface CallerHeaders {
  readonly authorization?: string | undefined;
  readonly host?: string | undefined;
}

/**
 * Who may ask the control role. On a loopback address everybody on the machine may, without a key, as long as no key
 * has the scope `admin`; everywhere else a key is needed.
 */
export class ControlAccess {
  readonly #auth: Auth;
  readonly #isOpen: boolean;

  constructor(server: ServerConfig) {
    this.#isOpen = !hasAdminKey(server);
    this.#auth = new Auth(server.keys);
  }

  /**
   * @returns the name of the caller's key; undefined where none is needed.
   * @throws UNAUTHENTICATED, FORBIDDEN.
   */
  check({ authorization, host }: CallerHeaders, scope: RouteScope): string | undefined {
    if (!this.#isOpen) return this.#auth.check(authorization, scope);
    // A page of another site can give its own name the address of this machine; its requests say that name.
    const name = URL.parse(`http://${host ?? ""}`)?.hostname ?? "";
    if (isLoopback(name)) return undefined;
    throw new MillraceError(
      "FORBIDDEN",
      `Cannot do this for the host ${JSON.stringify(host ?? "")}: without keys only localhost is answered`,
    );
  }

  /** May the caller do what needs the scope? */
  allows(headers: CallerHeaders, scope: RouteScope): boolean {
    try {
      this.check(headers, scope);
      return true;
    } catch {
      return false;
    }
  }
}

/** @throws WrongConfigError when other machines would reach the control role and no key has the scope `admin`. */
export function checkControlKeys(server: ServerConfig): void {
  const { host, controlPort } = server;
  if (controlPort === "off" || isLoopback(host) || hasAdminKey(server)) return;
  throw new WrongConfigError(
    `Cannot start the control role: other machines reach server.host ${host}, and no key of server.auth.keys has the scope "admin"; add one, or switch the role off with server.controlPort: off`,
  );
}

function hasAdminKey({ keys }: ServerConfig): boolean {
  return keys.some(({ scopes }) => scopes.includes("admin"));
}

function isLoopback(host: string): boolean {
  if (host === "localhost" || host.endsWith(".localhost")) return true;
  if (host === "::1" || host === "[::1]") return true;
  return isIPv4(host) && host.startsWith("127.");
}
