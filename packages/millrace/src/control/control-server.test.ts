import { beforeAll, describe, expect, it } from "vitest";
import type { FastifyInstance } from "fastify";
import { MemoryOverrideStore } from "../adapters/override-store-memory/override-store-memory.ts";
import type { ApiKey, ServerConfig } from "../config/config.ts";
import type { Explanation } from "../core/predictions/explanation.ts";
import { TestClock } from "../core/test-clock.ts";
import type { ServingProcesses, UpStatus } from "./control-messages.ts";
import { createControlServer } from "./control-server.ts";
import { addLogRoutes } from "./log-routes.ts";
import { OverrideChanges } from "./override-changes.ts";
import { addOverrideRoutes } from "./override-routes.ts";
import { addQueryRoute } from "./query-route.ts";
import type { LogStatus } from "../shipping/log-messages.ts";
import { addExplainRoute } from "./explain-route.ts";
import type { ReleaseController } from "./releases/release-controller.ts";
import { addReleaseRoutes } from "./releases/release-routes.ts";
import { addStatusRoutes } from "./status-routes.ts";

const KEYS: readonly ApiKey[] = [
  { name: "eve", secret: "s-read", scopes: ["read"] },
  { name: "shop", secret: "s-infer", scopes: ["infer"] },
  { name: "ann", secret: "s-admin", scopes: ["admin"] },
];
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
const COMMANDS = [
  ...["start", "pause", "resume", "approve", "abort", "retry"].map(
    (one) => `experiments/rf/${one}`,
  ),
  ...["exclude", "include"].map((one) => `shadows/rf/${one}`),
].map((path) => `/api/v1/${path}`);
const ROUTES = [
  "/api/v1/status",
  "/api/v1/config",
  "/api/v1/overrides",
  "/api/v1/overrides/services.iris.timeout",
  "/api/v1/predictions/some-id",
  "/api/v1/log",
  "/api/v1/log/forget",
  "/api/v1/query",
  "/api/v1/experiments",
  "/api/v1/experiments/rf",
  "/api/v1/shadows",
  "/api/v1/shadows/rf",
  ...COMMANDS,
];
/** Routes that answer no GET. */
const ONLY_CHANGES = new Set(["/api/v1/log/forget", "/api/v1/query", ...COMMANDS]);
const CHANGES = new Set([
  "PUT /api/v1/overrides",
  "PUT /api/v1/overrides/services.iris.timeout",
  "DELETE /api/v1/overrides/services.iris.timeout",
  "POST /api/v1/log/forget",
  "POST /api/v1/query",
  ...COMMANDS.map((path) => `POST ${path}`),
]);
const EXPLANATION = {
  prediction_id: "some-id",
  override_version: 0,
  rows: [{ row: 0, features: { age: 9007199254740993n } }],
  attributes: { region: "eu" },
  unit_hash: "h",
  error: "cannot take 17",
  observed: { plant: [0.2] },
  rules: [{ name: "r", to: "iris", isMatch: false, why: 'header.x-user is "ann"' }],
} as unknown as Explanation;
const LOG: LogStatus = {
  folder: "/log",
  isShipping: true,
  problem: undefined,
  sinks: [
    {
      sink: "parquet",
      rows: 5,
      unreadable: 0,
      errors: 1,
      setAside: 0,
      problem: undefined,
      segments: 1,
      bytes: 10,
      lagSeconds: 2,
    },
  ],
  segments: { count: 1, bytes: 10 },
  tables: [{ table: "feedback", files: 0, bytes: 0, oldest: undefined, newest: undefined }],
  uncleanWriters: 0,
  damagedBlocks: 0,
};

function create(keys: readonly ApiKey[]): FastifyInstance {
  const silent = (): void => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const status = { processes: [], models: [], services: [], setAside: [] } as unknown as UpStatus;
  const processes: ServingProcesses = {
    change: () => Promise.resolve(),
    adoptKept: () => Promise.resolve(),
    status: () => Promise.resolve(status),
    liveValues: () => Promise.resolve([]),
    explain: () => Promise.resolve(EXPLANATION),
    logStatus: () => Promise.resolve({ log: LOG, dropped: { row: 3 }, withoutPayload: {} }),
    forget: ({ unit, unitHash = `hash of ${unit ?? ""}` }) =>
      Promise.resolve({ unitHash, rows: 7, files: 2, segments: 1 }),
  };
  const none = () => Promise.resolve([]);
  const one = () => Promise.resolve({});
  const releases = {
    experiments: none,
    experiment: one,
    shadows: none,
    shadow: one,
  } as unknown as ReleaseController;
  const store = new MemoryOverrideStore();
  const changes = new OverrideChanges({ store, processes, clock: new TestClock(), log });
  const server = { host: "127.0.0.1", keys, tls: undefined } as unknown as ServerConfig;
  return createControlServer(server, log, (app, access) => {
    addStatusRoutes(app, changes, { processes, startedAtMs: 0 });
    addExplainRoute(app, { changes, processes, access });
    addLogRoutes(app, processes);
    addOverrideRoutes(app, changes, processes);
    addQueryRoute(app, undefined, processes);
    addReleaseRoutes(app, releases);
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
    const isRead = (method === "GET" || method === "HEAD") && !ONLY_CHANGES.has(url);
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

describe("GET /api/v1/predictions/{id}", () => {
  const get = (keys: readonly ApiKey[], authorization?: string) =>
    create(keys).inject({
      method: "GET",
      url: "/api/v1/predictions/some-id",
      headers: authorization === undefined ? {} : { authorization },
    });

  it("answers with every digit of what the log has", async () => {
    const { body, headers } = await get([]);
    expect(headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(body).toContain('"rows":[{"row":0,"features":{"age":9007199254740993}}]');
  });

  it("shows what was sent to be predicted on to admins only", async () => {
    const shown = async (secret: string) =>
      Object.keys((await get(KEYS, `Bearer ${secret}`)).json<object>());
    const decisions = ["prediction_id", "override_version", "rules"];
    expect(await shown("s-read")).toEqual(decisions);
    expect(await shown("s-infer")).toEqual(decisions);
    const sent = ["rows", "attributes", "unit_hash", "error", "observed"];
    expect((await shown("s-admin")).toSorted()).toEqual([...decisions, ...sent].toSorted());
    const { rules } = (await get(KEYS, "Bearer s-read")).json<Explanation>();
    expect(rules).toEqual([{ name: "r", to: "iris", isMatch: false }]);
  });
});

describe("GET /api/v1/log", () => {
  it("tells how far each sink is and what was left out", async () => {
    const answer = await create([]).inject({ method: "GET", url: "/api/v1/log" });
    expect(answer.json()).toEqual({
      folder: "/log",
      shipping: true,
      problem: null,
      sinks: [
        {
          name: "parquet",
          rows: 5,
          lag_seconds: 2,
          waiting: { segments: 1, bytes: 10 },
          errors: 1,
          problem: null,
          unreadable: 0,
          set_aside: 0,
        },
      ],
      segments: { count: 1, bytes: 10 },
      tables: [{ name: "feedback", files: 0, bytes: 0, oldest: null, newest: null }],
      dropped: { row: 3 },
      without_payload: {},
      unclean_writers: 0,
      damaged_blocks: 0,
    });
  });
});

describe("POST /api/v1/log/forget", () => {
  const forget = async (payload: object): Promise<unknown> => {
    const answer = await create([]).inject({
      method: "POST",
      url: "/api/v1/log/forget",
      payload: JSON.stringify(payload),
    });
    return answer.statusCode === 200 ? answer.json() : answer.json<{ code: string }>().code;
  };

  it("forgets a unit by its name or by its hash", async () => {
    const rest = { rows: 7, files: 2, segments: 1 };
    expect(await forget({ unit: "ann" })).toEqual({ unit_hash: "hash of ann", ...rest });
    const hash = "0123456789abcdef".repeat(2);
    expect(await forget({ unit_hash: hash, reason: "asked" })).toEqual({
      unit_hash: hash,
      ...rest,
    });
  });

  it("refuses an order that names no unit, two, or something else", async () => {
    const hash = "0".repeat(32);
    for (const body of [{}, { unit: "" }, { unit: "a", unit_hash: hash }, { unit_hash: "x" }]) {
      expect(await forget(body)).toBe("INVALID_BODY");
    }
    expect(await forget({ unit: "a", all: true })).toBe("INVALID_BODY");
  });
});
