import { gzipSync } from "node:zlib";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ServerConfig } from "../../packages/millrace/src/config/config.ts";
import { Metrics } from "../../packages/millrace/src/core/metrics/metrics.ts";
import { FeedbackIntake } from "../../packages/millrace/src/serve/feedback/feedback-intake.ts";
import { FeedbackMetrics } from "../../packages/millrace/src/serve/feedback/feedback-metrics.ts";
import { TestLog } from "../../packages/millrace/src/serve/feedback/test-log.ts";
import { createHttpServer } from "../../packages/millrace/src/serve/http/http-server.ts";
import { Readiness } from "../../packages/millrace/src/serve/readiness.ts";
import { ask, type Answer, type Question } from "../e2e/http-client.ts";
import { GraphWorld } from "./graph-world.ts";
import { LOG, modelStep, serviceConfig, setServices } from "./plane-parts.ts";

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

const SERVER: ServerConfig = {
  host: "127.0.0.1",
  httpPort: 0,
  grpcPort: "off",
  metricsPort: "off",
  controlPort: "off",
  processes: 1,
  bodyBytesMax: 64 * 1024 * 1024,
  drainMs: 1_000,
  keys: [
    { name: "app", secret: "infer-key", scopes: ["infer"] },
    { name: "eye", secret: "read-key", scopes: ["read"] },
  ],
  tls: undefined,
  corsOrigins: [],
  log: { levels: { default: "silent" }, format: "json", access: "off", file: undefined },
};

const ID = "01992f3c-7a5e-7cc1-b6d4-3f0a9c2e51d7";
const LABEL = { prediction_id: ID, label: "setosa" };

describe("POST /feedback", () => {
  let world: GraphWorld;
  let log: TestLog;
  let url: string;
  let close: () => Promise<void>;

  beforeAll(async () => {
    world = await GraphWorld.create({ models: { gather: { path: "gather.onnx", sample: [0] } } });
    const graph = modelStep("gather");
    await setServices(world.plane, [
      serviceConfig({ graph, name: "first" }),
      serviceConfig({ graph, name: "second", isDefault: false }),
    ]);
  });
  afterAll(() => world.close());

  beforeEach(async () => {
    log = new TestLog();
    const { plane, models, clock } = world;
    const app = await createHttpServer({
      server: SERVER,
      title: "test",
      plane,
      feedback: new FeedbackIntake({
        log: () => log,
        config: () => LOG,
        clock,
        metrics: new FeedbackMetrics(new Metrics()),
      }),
      readiness: new Readiness(models, plane.graphs),
      repository: { load: () => Promise.resolve(), unload: () => Promise.resolve() },
      log: SILENT,
      accessLog: SILENT,
    });
    await app.listen({ host: "127.0.0.1", port: 0 });
    url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
    close = () => app.close();
  });
  afterEach(() => close());

  function post(body: Question["body"], question: Question & { path?: string } = {}) {
    const { path = "/feedback", headers } = question;
    const all = { authorization: "Bearer infer-key", ...headers };
    return ask(url, path, { ...question, headers: all, ...(body === undefined ? {} : { body }) });
  }

  /** Code and detail of a refusal. */
  function refusal({ status, json }: Answer): string {
    const { code, detail } = json as { code: string; detail: string };
    return `${status} ${code} ${detail}`;
  }

  it("POST /feedback answers 202 with the id when it is written", async () => {
    const { status, headers, json } = await post(LABEL);
    expect([status, headers["content-type"]]).toEqual([202, "application/json"]);
    expect(json).toEqual({ feedback_id: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    expect(log.rows).toMatchObject([{ service: "first", prediction_id: ID, label: "setosa" }]);
    expect((await post(LABEL)).json).toEqual(json);
  });

  it("POST /services/{service}/feedback takes a list, and answers one", async () => {
    const path = "/services/second/feedback";
    const list = [LABEL, { entity_id: "u", ts: "1s", event: "e" }];
    const { status, json } = await post(list, { path, headers: { "idempotency-key": "k" } });
    expect([status, json]).toEqual([202, { feedback_ids: ["k#0", "k#1"] }]);
    expect(log.rows.map(({ service }) => service)).toEqual(["second", "second"]);
  });

  it("POST /feedback reads a body that is compressed", async () => {
    const body = gzipSync(JSON.stringify(LABEL));
    expect((await post(body, { headers: { "content-encoding": "gzip" } })).status).toBe(202);
  });

  it("POST /feedback answers 400 with every place that is wrong, and writes nothing", async () => {
    const answer = await post([LABEL, { prediction_id: 7, label: null }]);
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({
      code: "INVALID_BODY",
      errors: [
        { location: ["body", 1, "prediction_id"], type: "uuid" },
        { location: ["body", 1], type: "missing" },
      ],
    });
    expect(log.rows).toEqual([]);
    expect(refusal(await post("{"))).toContain("400 INVALID_JSON");
    expect(refusal(await post(""))).toContain("400 INVALID_JSON");
  });

  it("POST /feedback says what is wrong with its key, its type, its service and its caller", async () => {
    const with_ = (headers: Record<string, string>) => post(LABEL, { headers });
    expect(refusal(await with_({ "idempotency-key": "two words" }))).toBe(
      "400 INVALID_HEADER Cannot read header idempotency-key: found 9 characters, expected 1 to 200 of ASCII without space",
    );
    expect(refusal(await with_({ "content-type": "text/csv" }))).toContain(
      "415 UNSUPPORTED_MEDIA_TYPE",
    );
    expect(refusal(await post(LABEL, { path: "/services/third/feedback" }))).toContain(
      "404 MODEL_NOT_FOUND",
    );
    expect(refusal(await with_({ authorization: "Bearer read-key" }))).toContain("403 FORBIDDEN");
    expect(refusal(await post(undefined, { method: "GET" }))).toBe(
      "405 METHOD_NOT_ALLOWED Cannot GET /feedback: it takes POST",
    );
    expect(log.rows).toEqual([]);
  });

  it("POST /feedback refuses more than a MiB", async () => {
    const entry = JSON.stringify({ ...LABEL, note: "x".repeat(2_000) });
    expect(refusal(await post(`[${Array.from({ length: 600 }, () => entry).join(",")}]`))).toBe(
      "413 BODY_TOO_LARGE Cannot read the body: the body is larger than 1048576 bytes, the limit of this route",
    );
  });

  it("POST /feedback answers 503 while the log cannot write", async () => {
    log.isBroken = true;
    expect(refusal(await post(LABEL))).toBe(
      "503 LOG_UNAVAILABLE Cannot write feedback: the disk is full, 10 % is to stay free",
    );
  });

  it("GET /openapi.json describes the route of each service", async () => {
    const headers = { authorization: "Bearer infer-key" };
    const { json } = await ask(url, "/openapi.json", { headers });
    const { paths } = json as { paths: Record<string, { post?: { responses: object } }> };
    for (const path of ["/feedback", "/services/first/feedback", "/services/second/feedback"]) {
      expect(Object.keys(paths[path]?.post?.responses ?? {})).toEqual(["202", "4XX", "5XX"]);
    }
  });
});
