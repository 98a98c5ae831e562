import { describe, expect, it } from "vitest";
import type { FastifyInstance } from "fastify";
import type { ServerConfig } from "../../config/config.ts";
import { createControlServer } from "../control-server.ts";
import { addReleaseRoutes } from "./release-routes.ts";
import { shadowOf, startReleases, type TestReleases } from "./test-releases.ts";

const silent = (): void => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };

async function create(): Promise<TestReleases & { readonly app: FastifyInstance }> {
  const releases = await startReleases((traffic) => {
    traffic.shadowsByService = { iris: [shadowOf()] };
  });
  const keys = [{ name: "ann", secret: "s", scopes: ["admin"] }];
  const server = { host: "127.0.0.1", keys, tls: undefined } as unknown as ServerConfig;
  const app = createControlServer(server, log, (routes) => {
    addReleaseRoutes(routes, releases.controller);
  });
  return { ...releases, app };
}

const headers = { authorization: "Bearer s" };

async function get(app: FastifyInstance, url: string) {
  const answer = await app.inject({ url: `/api/v1/${url}`, headers });
  return { status: answer.statusCode, json: answer.json<Record<string, unknown>>() };
}

async function post(app: FastifyInstance, url: string, body?: object) {
  const payload = body === undefined ? {} : { payload: JSON.stringify(body) };
  const answer = await app.inject({
    method: "POST",
    url: `/api/v1/${url}`,
    headers: { ...headers, "content-type": "application/json" },
    ...payload,
  });
  return { status: answer.statusCode, json: answer.json<Record<string, unknown>>() };
}

describe("addReleaseRoutes()", () => {
  it("answers with every experiment and every shadow, absent parts as null", async () => {
    const { app } = await create();
    const { status, json } = await get(app, "experiments");
    expect(status).toBe(200);
    expect(json["experiments"]).toMatchObject([
      {
        name: "rf",
        service: "iris",
        phase: 1,
        is_active: true,
        winner: null,
        ramp: {
          state: { kind: "running", step: 0, is_approved: false, waits_for: ["time: 1h left"] },
        },
        problem: null,
        events: [{ by: "ramp", what: "started" }, { what: "phase 1" }],
      },
    ]);
    expect((await get(app, "shadows")).json["shadows"]).toMatchObject([
      {
        name: "rf-shadow",
        is_excluded: false,
        required: { pairs_min: 1000 },
        skipped: { queue: 7 },
      },
    ]);
    expect((await get(app, "experiments/rf")).json).toMatchObject({ name: "rf" });
    expect((await get(app, "shadows/rf-shadow")).json).toMatchObject({ to: "forest" });
  });

  it("does what is said, in the name of the key, and answers with what is then", async () => {
    const { app } = await create();
    const body = { reason: "lunch", by: "somebody else" };
    const { status, json } = await post(app, "experiments/rf/pause", body);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      ramp: { state: { kind: "paused", why: "pause by ann: lunch" } },
      events: [{ by: "ann", what: "paused", why: "lunch" }, {}, {}],
    });
    expect((await post(app, "experiments/rf/resume")).status).toBe(200);
    expect((await post(app, "shadows/rf-shadow/exclude", {})).json).toMatchObject({
      is_excluded: true,
    });
    expect((await post(app, "shadows/rf-shadow/include")).json).toMatchObject({
      is_excluded: false,
    });
  });

  it("refuses what is not possible with where it is and what is possible", async () => {
    const { app } = await create();
    const { status, json } = await post(app, "experiments/rf/retry");
    expect([status, json["code"]]).toEqual([409, "INVALID_TRANSITION"]);
    expect(json["detail"]).toBe(
      "Cannot retry: the ramp is running at step 1, possible are pause, abort",
    );
  });

  it("names those there are when it knows none of the name", async () => {
    const { app } = await create();
    const experiment = await get(app, "experiments/x");
    expect([experiment.status, experiment.json["code"]]).toEqual([404, "EXPERIMENT_NOT_FOUND"]);
    expect(experiment.json["detail"]).toBe('Cannot find experiment "x": there is rf');
    const shadow = await post(app, "shadows/x/exclude");
    expect([shadow.status, shadow.json["code"]]).toEqual([404, "SHADOW_NOT_FOUND"]);
    expect(shadow.json["detail"]).toBe('Cannot find shadow "x": there is rf-shadow');
  });

  it("refuses a body that it does not know", async () => {
    const { app } = await create();
    const { status, json } = await post(app, "experiments/rf/abort", { why: "x" });
    expect([status, json["code"]]).toEqual([400, "INVALID_BODY"]);
  });
});
