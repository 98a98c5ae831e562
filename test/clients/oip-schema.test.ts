import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, type Answer, type Question } from "../e2e/http-client.ts";
import { ClientServers } from "./client-server.ts";
import { OIP_DESCRIPTION, OipValidator } from "./oip-schema.ts";

let servers: ClientServers;
const validator = new OipValidator();
const seen = new Set<string>();
beforeAll(async () => {
  servers = await ClientServers.start();
});
afterAll(() => servers[Symbol.asyncDispose]());

/** Calls the server and expects status, content type and body as described. */
async function expectDescribed(
  call: string,
  { status = 200, ...question }: Question & { readonly status?: number } = {},
  values: { readonly model?: string; readonly version?: string } = {},
): Promise<Answer> {
  const [method = "", template = ""] = call.split(" ");
  const { model = "simple", version = "1" } = values;
  const path = template.replace("{model}", model).replace("{version}", version);
  const isAdmin = /\/(un)?load$/.test(path);
  const { url } = isAdmin ? servers.locked : servers.open;
  const reply = await ask(url, path, {
    method,
    ...question,
    headers: { ...(isAdmin ? { authorization: "Bearer admin-s3cret" } : {}), ...question.headers },
  });
  expect([call, reply.status, reply.text]).toEqual([call, status, expect.any(String)]);
  const isBinary = reply.headers["content-type"] === "application/octet-stream";
  // Of an error exactly this: a client reads its text only then.
  const isError = status >= 400 && (reply.json as { ready?: false }).ready !== false;
  const type = reply.headers["content-type"] ?? "";
  if (!isBinary) expect(isError ? type : type.split(";")[0]).toBe("application/json");
  expect([call, validator.problems(call, status, isBinary ? jsonHead(reply) : reply.json)]).toEqual(
    [call, []],
  );
  if (status === 200) seen.add(call);
  return reply;
}

function jsonHead({ headers, text }: Answer): unknown {
  const length = Number(headers["inference-header-content-length"]);
  return JSON.parse(Buffer.from(text).subarray(0, length).toString()) as unknown;
}

const INPUTS = [0, 1].map((i) => ({
  name: `INPUT${i}`,
  datatype: "INT32",
  shape: [1, 16],
  data: Array.from({ length: 16 }, () => i),
}));

describe("the recorded replies are as described", () => {
  it.each([
    "GET /v2",
    "GET /v2/health/live",
    "GET /v2/health/ready",
    "GET /v2/models",
    "GET /v2/models/stats",
    "GET /v2/models/{model}",
    "GET /v2/models/{model}/versions/{version}",
    "GET /v2/models/{model}/ready",
    "GET /v2/models/{model}/versions/{version}/ready",
    "GET /v2/models/{model}/stats",
    "GET /v2/models/{model}/versions/{version}/stats",
    "GET /v2/models/{model}/config",
    "GET /v2/models/{model}/versions/{version}/config",
    "POST /v2/repository/index",
    "POST /v2/repository/models/{model}/unload",
    "POST /v2/repository/models/{model}/load",
  ])("%s", async (call) => {
    const hasBody = call.startsWith("POST");
    await expectDescribed(call, hasBody ? { body: {} } : {});
  });

  it.each(["POST /v2/models/{model}/infer", "POST /v2/models/{model}/versions/{version}/infer"])(
    "%s",
    async (call) => {
      await expectDescribed(call, { body: { inputs: INPUTS } });
      const reply = await expectDescribed(call, { body: { id: "7", inputs: INPUTS, outputs: [] } });
      expect(reply.json).toMatchObject({ id: "7" });
      const binary = await expectDescribed(call, {
        body: {
          inputs: INPUTS,
          outputs: [{ name: "OUTPUT0", parameters: { binary_data: true } }, { name: "OUTPUT1" }],
        },
      });
      expect(jsonHead(binary)).toMatchObject({
        outputs: [
          { parameters: { binary_data_size: 64 } },
          { data: expect.any(Array) as number[] },
        ],
      });
    },
  );

  it("every statistic stays as described after requests of several sizes", async () => {
    for (const rows of [1, 2, 3]) {
      const inputs = INPUTS.map((input) => ({
        ...input,
        shape: [rows, 16],
        data: Array.from({ length: rows * 16 }, () => 1),
      }));
      await expectDescribed("POST /v2/models/{model}/infer", { body: { inputs } });
    }
    await expectDescribed("GET /v2/models/{model}/stats");
  });

  it.each([
    ["GET /v2/models/{model}", { status: 404 }, { model: "nobody" }],
    ["GET /v2/models/{model}/versions/{version}", { status: 404 }, { version: "9" }],
    ["GET /v2/models/{model}/ready", { status: 404 }, { model: "nobody" }],
    ["GET /v2/models/{model}/ready", { status: 503 }, { model: "absent" }],
    ["GET /v2/models/{model}/config", { status: 404 }, { model: "nobody" }],
    ["GET /v2/models/{model}/stats", { status: 404 }, { model: "nobody" }],
    ["POST /v2/models/{model}/infer", { status: 404, body: { inputs: INPUTS } }, { model: "no" }],
    ["POST /v2/models/{model}/infer", { status: 400, body: "{" }, {}],
    ["POST /v2/models/{model}/infer", { status: 503, body: { inputs: [] } }, { model: "absent" }],
    ["POST /v2/repository/index", { status: 400, body: { ready: 1 } }, {}],
    ["POST /v2/repository/models/{model}/load", { status: 404, body: {} }, { model: "nobody" }],
    [
      "POST /v2/repository/models/{model}/load",
      { status: 401, headers: { authorization: "" } },
      {},
    ],
  ] as const)("%s with %j of %j", async (call, question, values) => {
    await expectDescribed(call, question, values);
  });

  it("a GET with another method, and a path that is none, are described errors too", async () => {
    for (const [method, path] of [
      ["DELETE", "/v2/models/simple"],
      ["GET", "/v2/models/simple/infer"],
      ["GET", "/v2/nope"],
    ] as const) {
      const reply = await ask(servers.open.url, path, { method });
      expect([path, reply.status]).toEqual([path, path === "/v2/nope" ? 404 : 405]);
      expect(reply.headers["content-type"]).toBe("application/json");
      expect(validator.problems("GET /v2", reply.status, reply.json)).toEqual([]);
    }
  });

  it("nothing that is described was left out", () => {
    const described = Object.entries(OIP_DESCRIPTION.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect([...seen].toSorted()).toEqual(described.toSorted());
  });
});

describe("the description refuses", () => {
  it.each([
    ["POST /v2/models/{model}/infer", { model_name: "m", model_version: "1" }],
    [
      "POST /v2/models/{model}/infer",
      { model_name: "m", model_version: "1", id: null, outputs: [] },
    ],
    [
      "POST /v2/models/{model}/infer",
      {
        model_name: "m",
        model_version: "1",
        outputs: [{ name: "o", datatype: "FP32", shape: [1] }],
      },
    ],
    ["GET /v2/models/{model}/ready", { name: "m", ready: "yes" }],
    ["GET /v2", { name: "n", version: "1" }],
    [
      "GET /v2/models/{model}",
      { name: "m", versions: ["v1"], platform: "p", inputs: [], outputs: [] },
    ],
  ])("%s %j", (call, reply) => {
    expect(validator.problems(call, 200, reply)).not.toEqual([]);
  });
});
