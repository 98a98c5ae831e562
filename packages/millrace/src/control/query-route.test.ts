import type { FastifyInstance } from "fastify";
import { describe, expect, it } from "vitest";
import type { ServerConfig } from "../config/config.ts";
import type { QueryEngine, QueryOrder, QueryResult } from "../ports/query-engine.ts";
import { createControlServer } from "./control-server.ts";
import { addQueryRoute } from "./query-route.ts";

const ROWS: QueryResult = {
  kind: "rows",
  columns: [{ name: "a", type: "INTEGER" }],
  rows: [[1], [null]],
  isCut: true,
  tookMs: 7,
};

/** Notes what it is asked. */
class NotingEngine implements QueryEngine {
  readonly orders: QueryOrder[] = [];

  query(order: QueryOrder): Promise<QueryResult> {
    this.orders.push(order);
    if (order.format === "json") return Promise.resolve(ROWS);
    return Promise.resolve({
      kind: "bytes",
      bytes: Buffer.from(order.format),
      isCut: false,
      tookMs: 3,
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function create(engine: QueryEngine | undefined, timeout: unknown = "30s"): FastifyInstance {
  const silent = (): void => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const server = { host: "127.0.0.1", keys: [], tls: undefined } as unknown as ServerConfig;
  const row = { path: "log.query.timeout", value: timeout, source: "default" };
  return createControlServer(server, log, (app) => {
    addQueryRoute(app, engine, { liveValues: () => Promise.resolve([row]) });
  });
}

async function post(app: FastifyInstance, body: unknown, accept = "*/*") {
  return app.inject({
    method: "POST",
    url: "/api/v1/query",
    headers: { host: "localhost", accept },
    payload: typeof body === "string" ? body : JSON.stringify(body),
  });
}

describe("POST /api/v1/query", () => {
  it("answers rows as JSON", async () => {
    const engine = new NotingEngine();
    const answer = await post(create(engine), { sql: "select 1" });
    expect(answer.json()).toEqual({
      columns: [{ name: "a", type: "INTEGER" }],
      rows: [[1], [null]],
      cut: true,
      took_ms: 7,
    });
    expect(engine.orders).toEqual([
      { sql: "select 1", parameters: [], rowsMax: 10_000, format: "json", timeoutMs: 30_000 },
    ]);
  });

  it.each([
    ["text/csv", "csv"],
    ["application/x-ndjson", "jsonl"],
    ["text/html, application/vnd.apache.parquet;q=0.9", "parquet"],
  ])("answers %s with bytes of that kind", async (accept, format) => {
    const engine = new NotingEngine();
    const answer = await post(create(engine), { sql: "select 1", rows_max: 5 }, accept);
    expect(answer.body).toBe(format);
    expect(accept).toContain((answer.headers["content-type"] as string).split(";")[0]);
    expect(answer.headers).toMatchObject({ "x-query-cut": "false", "x-query-took-ms": "3" });
    expect(engine.orders[0]).toMatchObject({ format, rowsMax: 5 });
  });

  it("takes the shorter of the caller's time and that in force", async () => {
    const engine = new NotingEngine();
    await post(create(engine, "2s"), { sql: "a", timeout: "1s" });
    await post(create(engine, "2s"), { sql: "a", timeout: "1h" });
    await post(create(engine, 1_500), { sql: "a" });
    await post(create(engine, null), { sql: "a" });
    const times = engine.orders.map(({ timeoutMs }) => timeoutMs);
    expect(times).toEqual([1_000, 2_000, 1_500, undefined]);
  });

  it.each([
    [{}, "sql"],
    [{ sql: "" }, "sql"],
    [{ sql: "x".repeat(65_537) }, "sql"],
    [{ sql: "a", parameters: [{}] }, "parameters"],
    [{ sql: "a", rows_max: 1_000_001 }, "rows_max"],
    [{ sql: "a", rows_max: 1.5 }, "rows_max"],
    [{ sql: "a", timeout: "2h" }, "timeout"],
    [{ sql: "a", limit: 1 }, "limit"],
  ])("refuses the body %j with its place", async (body, place) => {
    const answer = await post(create(new NotingEngine()), body);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({
      code: "INVALID_BODY",
      detail: expect.stringContaining(place) as string,
    });
  });

  it("refuses what is no JSON, and says what to do where there is no log", async () => {
    const wrong = await post(create(new NotingEngine()), "{");
    expect(wrong.json()).toMatchObject({ code: "INVALID_JSON" });
    const none = await post(create(undefined), { sql: "select 1" });
    expect(none.json()).toMatchObject({ status: 503, code: "LOG_UNAVAILABLE" });
  });
});
