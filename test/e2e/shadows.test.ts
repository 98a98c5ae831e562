import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testPython } from "../../tools/test-venv.ts";
import { ask } from "./http-client.ts";
import { eventually, MillraceProcess, ROOT, runMillrace } from "./millrace-process.ts";
import { readMetrics } from "./prometheus.ts";
import { fixture, IRIS, SETOSA, Workspace } from "./workspace.ts";

const LABELS = "[setosa, versicolor, virginica]";

function file(remotePort: number): string {
  return `
server: { processes: 1 }
log: { roll: 1s }
models:
  iris: { source: ./iris.onnx, labels: ${LABELS} }
  rf: { source: ${ROOT}/examples/models/iris_rf.onnx, labels: ${LABELS} }
  wide: { source: ./identity.onnx, sample: [[1, 2]] }
  gather: { source: ./gather.onnx }
  absent: { source: ./absent.onnx }
services:
  iris:
    default: true
    traffic:
      shadow:
        - { to: rf }
        - { name: picky, to: rf, compare: ./compare.ts }
        - { name: hung, to: { function: ./hung.ts, timeout: 60s }, timeout: 300ms }
        - { name: failing, to: { function: ./failing.ts } }
        - { name: slow, to: { function: ./slow.ts } }
        - { name: unfit, to: gather }
        - { to: absent }
        - { name: broken, to: { function: ./broken.ts } }
  wide:
    graph: wide
    traffic: { shadow: [{ name: same, to: wide, timeout: 60s }] }
  asked:
    graph: iris
    traffic:
      shadow:
        - name: server
          to:
            remote: http://127.0.0.1:${remotePort}
            protocol: json
            inputs: { float_input: { datatype: FP32, shape: [-1, 4] } }
            outputs: { probabilities: { datatype: FP32, shape: [-1, 3] } }
`;
}

function shadowFunction(body: string): string {
  return `
import { defineStep } from "millrace";
export default defineStep({
  inputs: { float_input: { datatype: "FP32", shape: [-1, 4] } },
  outputs: { probabilities: { datatype: "FP32", shape: [-1, 3] } },
  labels: ["setosa", "versicolor", "virginica"],
  async run({ float_input: { shape } }) {
    ${body}
    return { probabilities: { shape: [shape[0], 3], data: Float32Array.from({ length: shape[0] * 3 }, (_, i) => i % 3) } };
  },
});
`;
}

const FILES = {
  "hung.ts": shadowFunction("await new Promise(() => {});"),
  "failing.ts": shadowFunction(`throw new Error("broken");`),
  "slow.ts": shadowFunction("await new Promise((resolve) => setTimeout(resolve, 150));"),
  "broken.ts": `throw new Error("it cannot be loaded"); export default 1;`,
  "compare.ts": `
export default (answer: { value: number[] }, shadow: { value: number[] }) => ({
  isAgreed: false, distance: shadow.value.length, detail: typeof answer.value[0],
});
`,
  "iris.onnx": IRIS,
  "identity.onnx": fixture("identity-fp32.onnx"),
  "gather.onnx": fixture("gather.onnx"),
};

/** Another server, which writes down with what headers it is asked. */
interface Remote {
  readonly server: Server;
  readonly port: number;
  readonly heads: IncomingHttpHeaders[];
}

async function startRemote(): Promise<Remote> {
  const heads: IncomingHttpHeaders[] = [];
  const server = createServer((request, reply) => {
    heads.push(request.headers);
    request.resume().on("end", () => {
      reply.setHeader("content-type", "application/json");
      reply.end(JSON.stringify({ probabilities: [[1, 0, 0]] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port, heads };
}

describe("shadows of a running Millrace", () => {
  let folder: Workspace;
  let server: MillraceProcess;
  let remote: Remote;

  beforeAll(async () => {
    remote = await startRemote();
    folder = new Workspace({ "millrace.yaml": file(remote.port), ...FILES });
    server = await MillraceProcess.start(["up"], { cwd: folder.path });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
    remote.server.close();
  });

  const pairs = async (shadow: string, result: string): Promise<number> =>
    (await readMetrics(server.facts.metrics)).sum("shadow_pairs_total", { shadow, result });

  const skipped = async (shadow: string, reason: string): Promise<number> =>
    (await readMetrics(server.facts.metrics)).sum("shadow_skipped_total", { shadow, reason });

  async function query(sql: string): Promise<unknown[][]> {
    const control = server.facts.control ?? "";
    const { json } = await ask(control, "/api/v1/query", { body: { sql } });
    return (json as { rows: unknown[][] }).rows;
  }

  it("answers as if there were none, whatever they do", async () => {
    const startedMs = performance.now();
    for (let i = 0; i < 30; i++) {
      const reply = await ask(server.url, "/predict", { body: { data: SETOSA } });
      expect(reply.status).toBe(200);
      expect((reply.json as { prediction: number[] }).prediction[0]).toBeCloseTo(0.97, 1);
      expect(Object.keys(reply.headers).filter((name) => name.includes("shadow"))).toEqual([]);
    }
    // Not one of them waited for what takes 150 ms, nor for what never ends.
    expect(performance.now() - startedMs).toBeLessThan(30 * 100);
    await eventually(async () => (await pairs("rf", "agreed")) === 30, "the pairs of rf");
    await eventually(async () => (await pairs("picky", "disagreed")) === 30, "those of picky");
    await eventually(async () => (await pairs("unfit", "shadow_error")) === 30, "those of unfit");
    await eventually(async () => (await pairs("hung", "shadow_error")) >= 20, "those of hung");
    await eventually(
      async () => (await pairs("failing", "shadow_error")) === 30,
      "those of failing",
    );
    await eventually(async () => (await pairs("slow", "disagreed")) >= 1, "those of slow");
    const metrics = await readMetrics(server.facts.metrics);
    const ofIris = { service: "iris", code: "ok" };
    expect(metrics.sum("inference_requests_total", { ...ofIris, role: "primary" })).toBe(30);
    expect(
      metrics.sum("inference_requests_total", { ...ofIris, role: "shadow", model: "rf" }),
    ).toBe(60);
    expect(metrics.sum("shadow_pairs_total", { shadow: "rf", result: "both_error" })).toBe(0);
    const told = server.logLines.filter(
      ({ logger, level }) => logger === "shadows" && level === "error",
    );
    expect(told.map(({ message }) => message)).toEqual([
      expect.stringContaining("Shadow unfit of iris takes other inputs"),
    ]);
  });

  it("is ready without shadows that cannot be loaded", async () => {
    const ready = await ask(server.url, "/v2/health/ready");
    expect(ready.status).toBe(200);
    for (const shadow of ["absent", "broken"]) {
      await eventually(async () => (await skipped(shadow, "inactive")) >= 30, "what is left out");
    }
  });

  it("leaves a shadow alone that hangs, and goes on", async () => {
    for (let i = 0; i < 20; i++) await ask(server.url, "/predict", { body: { data: SETOSA } });
    const left = await eventually(async () => (await skipped("hung", "breaker")) || false, "skips");
    expect(left).toBeGreaterThan(0);
  });

  it("puts both predictions into the log under one id, and into explain", async () => {
    const reply = await ask(server.url, "/predict", { body: { data: SETOSA } });
    const id = String(reply.headers["x-prediction-id"]);
    const sql = `select role, shadow, model, label, is_agreed, primary_model, distance, difference
      from predictions where prediction_id = '${id}' and (shadow is null or shadow in ('rf', 'picky'))
      order by role, shadow`;
    const rows = await eventually(async () => {
      const found = await query(sql);
      return found.length === 3 && found;
    }, "three rows");
    expect(rows).toEqual([
      ["primary", null, "iris", "setosa", null, null, null, null],
      ["shadow", "picky", "rf", "setosa", false, "iris@1", 3, "number"],
      ["shadow", "rf", "rf", "setosa", true, "iris@1", null, null],
    ]);
    const control = server.facts.control ?? "";
    const explained = await ask(control, `/api/v1/predictions/${id}`);
    const { role, model, shadows } = explained.json as Record<string, unknown>;
    expect({ role, model }).toEqual({ role: "primary", model: "iris@1" });
    expect(shadows).toContainEqual(
      expect.objectContaining({ name: "rf", model: "rf@1", status: "ok", agreed: true }),
    );
  });

  it("mirrors what is larger than 1 MiB", async () => {
    const row = Array.from({ length: 300_000 }, (_, i) => i + 0.25);
    const body = JSON.stringify({ data: [row] });
    expect(body.length).toBeGreaterThan(1024 * 1024);
    const reply = await ask(server.url, "/services/wide/predict", { body });
    expect(reply.status).toBe(200);
    await eventually(async () => (await pairs("same", "agreed")) === 1, "its pair");
  });

  it("leaves out what came as more than 16 MiB, however little is in it", async () => {
    const body = `{"data":${" ".repeat(17 * 1024 * 1024)}[[1,2]]}`;
    const reply = await ask(server.url, "/services/wide/predict", { body });
    expect(reply.status).toBe(200);
    await eventually(async () => (await skipped("same", "body")) === 1, "that it is left out");
  });

  it("tells other servers that it is a copy, with the id of the request", async () => {
    const headers = { "x-request-id": "asked-1" };
    const body = { data: SETOSA };
    await ask(server.url, "/services/asked/predict", { headers, body });
    await eventually(() => remote.heads.some((head) => head["x-shadow"] === "true"), "the copy");
    const copy = remote.heads.find((head) => head["x-shadow"] === "true");
    expect(copy).toMatchObject({
      "x-request-id": "asked-1",
      host: `127.0.0.1:${remote.port}`,
    });
  });

  it("stops one by a live change", async () => {
    const key = "services.iris.traffic.excluded.rf";
    const run = await runMillrace(["set", `${key}=true`], { cwd: folder.path });
    expect([run.code, run.stderr]).toEqual([0, ""]);
    const before = await pairs("rf", "agreed");
    const left = await skipped("rf", "excluded");
    for (let i = 0; i < 3; i++) await ask(server.url, "/predict", { body: { data: SETOSA } });
    await eventually(async () => (await skipped("rf", "excluded")) === left + 3, "those left out");
    expect(await pairs("rf", "agreed")).toBe(before);
  });
});

describe("shadows that are programs", () => {
  it("may hang or die, and the server answers and ends as if there were none", async () => {
    const program = (mode: string): string =>
      `{ runtime: process, command: [${testPython()}, program.py, ${mode}], sample: [[1, 2]] }`;
    using folder = new Workspace({
      "millrace.yaml": `
server: { processes: 1, drain: 20s }
models:
  identity: { source: ./identity.onnx, sample: [[1, 2]] }
  hanging: ${program("hang")}
  dying: ${program("die")}
services:
  s:
    default: true
    graph: identity
    traffic: { shadow: [{ to: hanging, timeout: 500ms }, { to: dying, timeout: 500ms }] }
`,
      "identity.onnx": FILES["identity.onnx"],
      "program.py": { copyOf: join(ROOT, "test/fixtures/programs/hostile_program.py") },
    });
    await using server = await MillraceProcess.start(["up", folder.path]);
    const pairs = async (shadow: string, result: string): Promise<number> =>
      (await readMetrics(server.facts.metrics)).sum("shadow_pairs_total", { shadow, result });
    const predict = async (x: number): Promise<string> => {
      const reply = await ask(server.url, "/predict", { body: { data: [[x, 2]] } });
      expect([reply.status, reply.json]).toEqual([200, { prediction: [x, 2] }]);
      return String(reply.headers["x-prediction-id"]);
    };
    const first = await predict(1);
    await eventually(async () => (await pairs("hanging", "agreed")) === 1, "the good pair");
    await eventually(async () => (await pairs("dying", "agreed")) === 1, "the other good pair");
    for (let i = 0; i < 3; i++) await predict(-1); // one hangs on it, one dies of it
    await eventually(async () => (await pairs("hanging", "shadow_error")) > 0, "its error");
    await eventually(async () => (await pairs("dying", "shadow_error")) > 0, "its end");
    const id = await predict(-1);
    expect(await server.stop()).toBe(0);
    const run = await runMillrace(["explain", first, "--json"], { cwd: folder.path });
    const { role, shadows } = JSON.parse(run.stdout) as Record<string, unknown>;
    expect(role).toBe("primary");
    // In the order in which they answered.
    expect(shadows).toHaveLength(2);
    for (const name of ["dying", "hanging"]) {
      expect(shadows).toContainEqual(
        expect.objectContaining({ name, model: `${name}@1`, agreed: true }),
      );
    }
    expect((await runMillrace(["explain", id], { cwd: folder.path })).code).toBe(0);
  }, 60_000); // two programs start, and one that hangs is waited for
});
