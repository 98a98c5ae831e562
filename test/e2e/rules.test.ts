import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GrpcClient } from "./grpc-client.ts";
import { ask, type Question } from "./http-client.ts";
import { MillraceProcess } from "./millrace-process.ts";
import { readMetrics } from "./prometheus.ts";
import { IRIS, IRIS_V2, SETOSA, Workspace } from "./workspace.ts";

const rule = (name: string, when: string, to = "other"): string =>
  `        - { name: ${name}, when: ${when}, to: ${to} }`;

const file = (rules: readonly string[]): string => `
server:
  auth:
    keys:
      - { name: shop, secret: shop-secret-0123456789, scopes: [infer] }
      - { name: lab, secret: lab-secret-01234567890, scopes: [infer, admin] }
models:
  own: ./iris.onnx
  other: ./newer.onnx
services:
  s:
    default: true
    graph: own
    traffic:
      rules:
${rules.join("\n")}
`;

const RULES = [
  rule("header", "{ header: { X-Target: other } }"),
  rule("cookie", "{ cookie: { plan: pro } }"),
  rule("query", "{ query: { mode: careful } }"),
  rule("path", "{ path: { prefix: /services } }"),
  rule("caller", "{ caller: lab }"),
  rule("body", "{ body: { parameters.tier: gold } }"),
  rule(
    "near",
    "{ place: { circle: { lat: 52.5, lon: 13.4, km: 50 }, latHeader: x-lat, lonHeader: x-lon } }",
  ),
];

const SHOP = { authorization: "Bearer shop-secret-0123456789" };
const LAB = { authorization: "Bearer lab-secret-01234567890" };

let folder: Workspace;
let server: MillraceProcess;
beforeAll(async () => {
  const models = { "iris.onnx": IRIS, "newer.onnx": IRIS_V2 };
  folder = new Workspace({ "millrace.yaml": file(RULES), ...models });
  server = await MillraceProcess.start(["serve", "millrace.yaml"], { cwd: folder.path });
});
afterAll(async () => {
  await server.stop();
  folder[Symbol.dispose]();
});

async function modelOf(path: string, question: Question = {}): Promise<string | undefined> {
  const headers = { ...SHOP, ...question.headers };
  const { headers: facts, text } = await ask(server.url, path, {
    body: { data: SETOSA },
    ...question,
    headers,
  });
  return facts["x-model"]?.toString() ?? text;
}

const INFER = {
  inputs: [{ name: "float_input", datatype: "FP32", shape: [1, 4], data: SETOSA[0] }],
};

describe("traffic.rules", () => {
  it("chooses by header, cookie, query, path and caller, and takes the service's own model else", async () => {
    const other = "other@1";
    expect(await modelOf("/predict")).toBe("own@1");
    expect(await modelOf("/predict", { headers: { "x-target": "OTHER" } })).toBe("own@1");
    expect(await modelOf("/predict", { headers: { "X-TARGET": "other" } })).toBe(other);
    expect(await modelOf("/predict", { headers: { cookie: "a=b; plan=pro" } })).toBe(other);
    expect(await modelOf("/predict?mode=careful")).toBe(other);
    expect(await modelOf("/services/s/predict")).toBe(other);
    expect(await modelOf("/predict", { headers: LAB })).toBe(other);
  });

  it("looks into the body, also when it is compressed", async () => {
    const gold = { ...INFER, parameters: { tier: "gold" } };
    const path = "/v2/models/s/infer";
    expect(await modelOf(path, { body: INFER })).toBe("own@1");
    expect(await modelOf(path, { body: gold })).toBe("other@1");
    const body = gzipSync(JSON.stringify(gold));
    const headers = { "content-encoding": "gzip", "content-type": "application/json" };
    expect(await modelOf(path, { body, headers })).toBe("other@1");
    const broken = await ask(server.url, path, { body: "{", headers: SHOP });
    expect(broken.status).toBe(400);
  });

  it("counts a place that is none, and goes on", async () => {
    const at = (lat: string): Question => ({ headers: { "x-lat": lat, "x-lon": "13.5" } });
    expect(await modelOf("/predict", at("52.4"))).toBe("other@1");
    expect(await modelOf("/predict", at("48.1"))).toBe("own@1");
    expect(await modelOf("/predict", at("north"))).toBe("own@1");
    const metrics = await readMetrics(server.facts.metrics);
    expect(metrics.sum("inference_rule_invalid_attributes_total", { service: "s" })).toBe(1);
    expect(metrics.sum("inference_routed_total", { service: "s", rule: "near" })).toBe(1);
  });

  it("asks the rules for gRPC with the metadata, and none where a version is named", async () => {
    using client = new GrpcClient(server.facts.grpc ?? "");
    const input = { name: "float_input", datatype: "FP32", shape: [1, 4] };
    const raw = Buffer.from(Float32Array.from(SETOSA[0] as number[]).buffer);
    const scores = async (metadata: Record<string, string>, version = ""): Promise<number> => {
      const message = {
        model_name: "s",
        model_version: version,
        inputs: [input],
        outputs: [{ name: "probabilities" }],
        raw_input_contents: [raw],
      };
      const { reply } = await client.ask("ModelInfer", message, {
        metadata: { ...SHOP, ...metadata },
      });
      const [bytes] = reply["raw_output_contents"] as Buffer[];
      return Number((bytes as Buffer).readFloatLE(0).toFixed(2));
    };
    expect(await scores({})).toBe(0.97);
    expect(await scores({ "x-target": "other" })).toBe(0.99);
    expect(await scores({ "x-target": "other" }, "1")).toBe(0.97);
  });

  it("follows the file on SIGHUP", async () => {
    const rules = [rule("turned", "{ header: { x-target: own } }")];
    folder.put("millrace.yaml", file(rules));
    server.signal("SIGHUP");
    await server.logLine(({ message }) => message === "The file was applied");
    expect(await modelOf("/predict", { headers: { "x-target": "other" } })).toBe("own@1");
    expect(await modelOf("/predict", { headers: { "x-target": "own" } })).toBe("other@1");
  });
});
