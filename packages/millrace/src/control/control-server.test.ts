import { beforeAll, describe, expect, it } from "vitest";
import type { FastifyInstance } from "fastify";
import { MemoryOverrideStore } from "../adapters/override-store-memory/override-store-memory.ts";
import type { ApiKey, ServerConfig } from "../config/config.ts";
import { TestClock } from "../core/test-clock.ts";
import type { ServingProcesses, UpStatus } from "./control-messages.ts";
import { createControlServer } from "./control-server.ts";
import { OverrideChanges } from "./override-changes.ts";
import { addOverrideRoutes } from "./override-routes.ts";
import { addStatusRoutes } from "./status-routes.ts";

const KEYS: readonly ApiKey[] = [
  { name: "eve", secret: "s-read", scopes: ["read"] },
  { name: "shop", secret: "s-infer", scopes: ["infer"] },
  { name: "ann", secret: "s-admin", scopes: ["admin"] },
];
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
const ROUTES = [
  "/api/v1/status",
  "/api/v1/config",
  "/api/v1/overrides",
  "/api/v1/overrides/services.iris.timeout",
  "/api/v1/predictions/some-id",
];
const CHANGES = new Set([
  "PUT /api/v1/overrides",
  "PUT /api/v1/overrides/services.iris.timeout",
  "DELETE /api/v1/overrides/services.iris.timeout",
]);

function create(keys: readonly ApiKey[]): FastifyInstance {
  const silent = (): void => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const status = { processes: [], models: [], services: [], setAside: [] } as unknown as UpStatus;
  const processes: ServingProcesses = {
    change: () => Promise.resolve(),
    adoptKept: () => Promise.resolve(),
    status: () => Promise.resolve(status),
    liveValues: () => Promise.resolve([]),
    explain: () => Promise.resolve(null),
  };
  const store = new MemoryOverrideStore();
  const changes = new OverrideChanges({ store, processes, clock: new TestClock(), log });
  const server = { host: "127.0.0.1", keys, tls: undefined } as unknown as ServerConfig;
  return createControlServer(server, log, (app) => {
    addStatusRoutes(app, changes, { processes, startedAtMs: 0 });
    addOverrideRoutes(app, changes, processes);
  });
}

describe("createControlServer()", () => {
  let app: FastifyInstance;
  beforeAll(() => {
    app = create(KEYS);
  });

  const cases = ROUTES.flatMap((url) => METHODS.map((method) => [method, url] as const));
  it.each(cases)("asks for the scope of %s %s, whoever calls", async (method, url) => {
    const statusFor = async (secret: string | undefined): Promise<number> => {
      const headers = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
      return (await app.inject({ method, url, headers, payload: "{" })).statusCode;
    };
    const isRead = method === "GET" || method === "HEAD";
    const isChange = CHANGES.has(`${method} ${url}`);
    const isRoute = isRead || isChange;
    expect(await statusFor(undefined)).toBe(isRoute ? 401 : 405);
    expect(await statusFor("wrong")).toBe(isRoute ? 401 : 405);
    const refused = [401, 403, 405];
    if (isRead) {
      for (const secret of ["s-read", "s-infer", "s-admin"]) {
        expect(refused).not.toContain(await statusFor(secret));
      }
    } else if (isChange) {
      expect(await statusFor("s-read")).toBe(403);
      expect(await statusFor("s-infer")).toBe(403);
      expect(await statusFor("s-admin")).toBe(400); // the body
    } else {
      expect(await statusFor("s-admin")).toBe(405);
    }
  });

  it("has no route that the table above does not name", () => {
    const routes = app.printRoutes({ commonPrefix: false });
    const found = [...routes.matchAll(/── (\S+) \(([A-Z, ]+)\)/g)].map(([, , methods]) => methods);
    expect(found).toHaveLength(ROUTES.length);
  });

  it.each(["PUT", "DELETE"] as const)(
    "refuses %s of a page of another site, and of another name, without keys",
    async (method) => {
      const open = create([]);
      const url = "/api/v1/overrides/services.iris.timeout";
      const statusWith = async (headers: Record<string, string>): Promise<number> =>
        (await open.inject({ method, url, headers, payload: "{" })).statusCode;
      expect(await statusWith({ host: "localhost:8080" })).toBe(400);
      expect(await statusWith({ host: "localhost:8080", origin: "http://localhost:8080" })).toBe(
        400,
      );
      for (const origin of ["http://evil.example.com", "null", "http://localhost:3000"]) {
        expect(await statusWith({ host: "localhost:8080", origin })).toBe(403);
      }
      const rebound = { host: "evil.example.com:8080", origin: "http://evil.example.com:8080" };
      expect(await statusWith(rebound)).toBe(403);
    },
  );
});
