import { describe, expect, it } from "vitest";
import type { ApiKey, ServerConfig } from "../config/config.ts";
import { checkControlKeys, ControlAccess } from "./control-access.ts";

const ADMIN: ApiKey = { name: "ann", secret: "s-ann", scopes: ["admin"] };
const READER: ApiKey = { name: "eve", secret: "s-eve", scopes: ["read"] };

function server(host: string, keys: readonly ApiKey[] = [], controlPort: number | "off" = 8080) {
  return { host, keys, controlPort } as ServerConfig;
}

describe("checkControlKeys()", () => {
  it.each(["127.0.0.1", "127.1.2.3", "localhost", "::1"])("lets %s start without keys", (host) => {
    expect(() => checkControlKeys(server(host))).not.toThrow();
  });

  it.each(["0.0.0.0", "10.0.0.7", "::", "example.com", "127.example.com"])(
    "wants a key with the scope admin on %s",
    (host) => {
      expect(() => checkControlKeys(server(host, [READER]))).toThrow('has the scope "admin"');
      expect(() => checkControlKeys(server(host, [READER, ADMIN]))).not.toThrow();
      expect(() => checkControlKeys(server(host, [], "off"))).not.toThrow();
    },
  );
});

describe("ControlAccess", () => {
  it.each(["127.0.0.1:8080", "localhost:8080", "localhost", "[::1]:8080"])(
    "lets anybody in on loopback who asks for %s",
    (host) => {
      const access = new ControlAccess(server("127.0.0.1", [READER]));
      expect(access.check({ host }, "admin")).toBeUndefined();
    },
  );

  it.each(["evil.example.com", "127.0.0.1.evil.com", "", undefined, "10.0.0.7:8080"])(
    "refuses the name %j without keys: a page may have given it this address",
    (host) => {
      const access = new ControlAccess(server("127.0.0.1"));
      expect(() => access.check({ host }, "read")).toThrow("only localhost is answered");
    },
  );

  it("wants a key everywhere as soon as one has the scope admin", () => {
    const access = new ControlAccess(server("127.0.0.1", [ADMIN, READER]));
    const ask = (secret: string | undefined, scope: "read" | "admin") => {
      const authorization = secret === undefined ? undefined : `Bearer ${secret}`;
      return access.check({ authorization, host: "any.example.com" }, scope);
    };
    expect(ask("s-ann", "admin")).toBe("ann");
    expect(ask("s-eve", "read")).toBe("eve");
    expect(() => ask("s-eve", "admin")).toThrow('lacks the scope "admin"');
    expect(() => ask("wrong", "read")).toThrow("without a key");
    expect(() => ask(undefined, "read")).toThrow("without a key");
  });
});
