import { createHash } from "node:crypto";
import { Agent } from "node:http";
import { cpSync, readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, type Answer } from "./http-client.ts";
import { eventually, MillraceProcess } from "./millrace-process.ts";
import { readMetrics } from "./prometheus.ts";
import { fixture, IRIS, IRIS_V2, SETOSA, STACK_LINE, Workspace } from "./workspace.ts";

/** Probabilities of the sample, by the model that answers. */
const PROBABILITIES = {
  v1: [0.96691585, 0.01850443, 0.014579914],
  v2: await goldenOf("v2/iris_svc.onnx"),
};

async function goldenOf(file: string): Promise<number[]> {
  const golden = (await import("../../examples/models/golden.json", { with: { type: "json" } }))
    .default as unknown as {
    models: Record<string, { cases: { outputs: Record<string, { data: number[] }> }[] }>;
  };
  const outputs = golden.models[file]?.cases[0]?.outputs ?? {};
  const probabilities = Object.entries(outputs).find(([name]) => name.includes("probabilit"));
  return probabilities?.[1].data ?? [];
}

function expectPrediction(reply: Answer, expected: readonly number[]): void {
  expect(reply.status).toBe(200);
  const { prediction } = reply.json as { prediction: number[] };
  expect(prediction).toHaveLength(expected.length);
  prediction.forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? NaN, 5));
}

function predict({ url }: MillraceProcess, service: string, agent?: Agent): Promise<Answer> {
  const body = { data: SETOSA };
  const path = `/services/${service}/predict`;
  return ask(url, path, { body, ...(agent === undefined ? {} : { agent }) });
}

const IRIS_SHA256 = createHash("sha256").update(readFileSync(IRIS.copyOf)).digest("hex");

describe("models that cannot be loaded", () => {
  const isRequired = (required: boolean): string => `
models:
  good: ./good.onnx
  digest: { source: ./good.onnx, sha256: ${IRIS_SHA256} }
  missing: { source: ./missing.onnx, required: ${String(required)} }
  empty: { source: ./empty.onnx, required: ${String(required)} }
  truncated: { source: ./truncated.onnx, required: ${String(required)} }
  text: { source: ./text.onnx, required: ${String(required)} }
  opset: { source: ./opset.onnx, required: ${String(required)} }
  operator: { source: ./operator.onnx, required: ${String(required)} }
  wrong-digest: { source: ./good.onnx, sha256: ${"f".repeat(64)}, required: ${String(required)} }
  folder: { source: ./folder, required: ${String(required)} }
  labels: { source: ./good.onnx, labels: [a, b], required: ${String(required)} }
  sample: { source: ./good.onnx, sample: [[1, 2]], required: ${String(required)} }
  replaced: { source: ./absent.onnx, fallback: ./good.onnx }
`;
  /** What the log says of each: a word that tells the reason, and the file. */
  const REASONS: Readonly<Record<string, RegExp>> = {
    missing: /missing\.onnx.*no such file/,
    empty: /empty\.onnx.*empty/,
    truncated: /truncated\.onnx/,
    text: /text\.onnx/,
    opset: /opset\.onnx.*opset/i,
    operator: /operator\.onnx.*Frobnicate/,
    "wrong-digest": /good\.onnx.*sha256/,
    folder: /folder.*numbered versions/,
    labels: /good\.onnx.*labels has 2 entries.*3 classes/,
    sample: /good\.onnx.*sample/,
  };
  let folder: Workspace;
  let server: MillraceProcess;
  beforeAll(async () => {
    const whole = readFileSync(IRIS.copyOf);
    folder = new Workspace({
      "millrace.yaml": isRequired(true),
      "good.onnx": IRIS,
      "empty.onnx": "",
      "truncated.onnx": whole.subarray(0, whole.length / 2),
      "text.onnx": "<!doctype html><p>404 Not Found</p>\n".repeat(20),
      "opset.onnx": fixture("opset-99.onnx"),
      "operator.onnx": fixture("unknown-operator.onnx"),
      "folder/notes.txt": "no versions here",
    });
    server = await MillraceProcess.start(["serve", "millrace.yaml"], { cwd: folder.path });
  });
  afterAll(async () => {
    await server.stop();
    folder[Symbol.dispose]();
  });

  it.each(Object.entries(REASONS))("says at the start why %s fails", (name, reason) => {
    const lines = server.logLines.filter(({ level, model }) => level === "error" && model === name);
    expect(lines).toHaveLength(1);
    expect(lines[0]?.message).toMatch(reason);
    expect(lines[0]?.message).not.toContain("\n");
    const model = server.facts.models.find((status) => status.name === name);
    expect(model).toMatchObject({
      isReady: false,
      problem: expect.stringMatching(reason) as string,
    });
  });

  it("serves the others", async () => {
    expectPrediction(await predict(server, "good"), PROBABILITIES.v1);
    expectPrediction(await predict(server, "digest"), PROBABILITIES.v1);
  });

  it("answers 503 with Retry-After for a model that is not there", async () => {
    const reply = await predict(server, "missing");
    expect(reply.status).toBe(503);
    expect(reply.headers["retry-after"]).toMatch(/^\d+$/);
    expect(reply.json).toMatchObject({ code: "MODEL_NOT_READY" });
    for (const path of ["/v2/models/missing", "/v2/models/missing/infer"]) {
      const { status, headers } = await ask(
        server.url,
        path,
        path.endsWith("infer") ? { body: {} } : {},
      );
      expect([status, headers["content-type"]]).toEqual([503, "application/json"]);
      expect(headers["retry-after"]).toMatch(/^\d+$/);
    }
    const ready = await ask(server.url, "/v2/models/missing/ready");
    expect([ready.status, ready.json]).toEqual([503, { name: "missing", ready: false }]);
  });

  it("says in /health which models fail, as long as they are required", async () => {
    const health = await ask(server.url, "/health");
    expect(health.status).toBe(503);
    const { reason } = health.json as { reason: string };
    for (const name of Object.keys(REASONS)) expect(reason).toContain(`model ${name} `);
    expect(reason).not.toContain("model good");
    expect((await ask(server.url, "/health/all")).json).toMatchObject({
      good: "ok",
      missing: "ng",
      replaced: "ok",
    });
    expect((await ask(server.url, "/v2/health/ready")).status).toBe(503);
    expect((await ask(server.url, "/v2/health/live")).status).toBe(200);
  });

  it("is never silent about a fallback", async () => {
    const reply = await predict(server, "replaced");
    expectPrediction(reply, PROBABILITIES.v1);
    expect(reply.headers["x-degraded"]).toBe("fallback");
    const { reason } = (await ask(server.url, "/health")).json as { reason: string };
    expect(reason).toMatch(/model replaced serves its fallback: .*absent\.onnx/);
    const metadata = await ask(server.url, "/services/replaced/metadata");
    expect(metadata.json).toMatchObject({
      fallback: expect.stringContaining("absent.onnx") as string,
    });
    const metrics = await readMetrics(server.facts.metrics);
    expect(metrics.sum("model_fallback", { model: "replaced" })).toBe(1);
    const warning = server.logLines.find(
      ({ level, model }) => level === "warn" && String(model).startsWith("replaced"),
    );
    expect(warning?.message).toMatch(/fallback.*absent\.onnx/);
  });

  it("tries the source again when it appears, and leaves the fallback", async () => {
    folder.put("absent.onnx", IRIS_V2);
    const reply = await eventually(async () => {
      const answer = await predict(server, "replaced");
      return answer.headers["x-degraded"] === undefined && answer;
    }, "the source");
    expectPrediction(reply, PROBABILITIES.v2);
  });

  it("serves a model whose file appears later", async () => {
    folder.put("missing.onnx", IRIS);
    await eventually(async () => (await predict(server, "missing")).status === 200, "the model");
    const { reason } = (await ask(server.url, "/health")).json as { reason: string };
    expect(reason).not.toContain("model missing");
  });

  it("is ready without the models that are not required, and still names them", async () => {
    folder.put("millrace.yaml", isRequired(false));
    rmSync(folder.file("missing.onnx"));
    server.signal("SIGHUP");
    await server.logLine(({ message }) => message === "The file was applied");
    const health = await ask(server.url, "/health");
    expect(health.status).toBe(200);
    expect(health.json).toMatchObject({
      health: "ok",
      reason: expect.stringContaining("model empty is not ready") as string,
    });
  });

  it("prints no stack trace", () => {
    expect(server.printed).not.toMatch(STACK_LINE);
  });
});

it("numbered versions are served as the file says, and a new folder is found", async () => {
  using folder = new Workspace({
    "millrace.yaml":
      "models:\n  latest: { source: ./m }\n  all: { source: ./m, serve: all }\n  one: { source: ./m, serve: [1] }\n",
    "m/1/model.onnx": IRIS,
    "m/2/other-name.onnx": IRIS_V2,
    "m/notes/readme.txt": "not a version",
  });
  await using server = await MillraceProcess.start(["serve", "millrace.yaml"], {
    cwd: folder.path,
  });
  const versionsOf = async (model: string): Promise<unknown> =>
    ((await ask(server.url, `/v2/models/${model}`)).json as { versions: string[] }).versions;
  expect(await versionsOf("latest")).toEqual(["2"]);
  expect(await versionsOf("all")).toEqual(["1", "2"]);
  expect(await versionsOf("one")).toEqual(["1"]);
  expectPrediction(await predict(server, "all"), PROBABILITIES.v2);
  expect((await predict(server, "all")).headers["x-model"]).toBe("all@2");
  const input = { name: "float_input", datatype: "FP32", shape: [1, 4], data: SETOSA };
  const infer = (version: string): Promise<Answer> =>
    ask(server.url, `/v2/models/all/versions/${version}/infer`, { body: { inputs: [input] } });
  expect((await infer("1")).json).toMatchObject({ model_name: "all", model_version: "1" });
  expect((await infer("2")).json).toMatchObject({ model_version: "2" });
  for (const version of ["3", "0", "01", "-1", "latest", "1.0", "99999999999"]) {
    const reply = await infer(version);
    expect([version, reply.status]).toEqual([version, 404]);
    expect(reply.json).toEqual({ error: expect.stringContaining("Request for unknown model") });
  }
  expect((await ask(server.url, "/v2/models/latest/versions/1/ready")).status).toBe(404);

  folder.put("m.new/3/model.onnx", IRIS);
  cpSync(folder.file("m.new/3"), folder.file("m/3"), { recursive: true });
  await eventually(async () => String(await versionsOf("all")) === "1,2,3", "version 3");
  expect(await versionsOf("latest")).toEqual(["3"]);
  rmSync(folder.file("m/3"), { recursive: true });
  await eventually(async () => String(await versionsOf("latest")) === "2", "version 2 again");
  expect((await infer("3")).status).toBe(404);
});

it("a model is replaced under traffic without one failed request", async () => {
  using folder = new Workspace({
    "millrace.yaml": "models:\n  iris: ./iris.onnx\n",
    "iris.onnx": IRIS,
  });
  await using server = await MillraceProcess.start(["up", "--server.processes", "2"], {
    cwd: folder.path,
  });
  let isDone = false;
  const versions = new Set<unknown>();
  const failures: unknown[] = [];
  let count = 0;
  const client = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!isDone) {
      try {
        const reply = await predict(server, "iris", agent);
        const version = reply.headers["x-model"];
        versions.add(version);
        expectPrediction(reply, version === "iris@1" ? PROBABILITIES.v1 : PROBABILITIES.v2);
        count++;
      } catch (error) {
        failures.push(error);
      }
    }
    agent.destroy();
  };
  const clients = Array.from({ length: 8 }, client);
  const everyProcess = (message: string, times: number): Promise<boolean> =>
    eventually(
      () => server.logLines.filter((line) => line.message.includes(message)).length >= 2 * times,
      `${times} times "${message}"`,
    );
  const loaded = (): number =>
    server.logLines.filter(({ message }) => /Model iris@\d+ serves/.test(message)).length;
  for (let swap = 1; swap <= 12; swap++) {
    const before = loaded();
    folder.put("iris.onnx", swap % 2 === 1 ? IRIS_V2 : IRIS);
    await eventually(() => loaded() >= before + 2, `swap ${swap}`);
    if (swap === 4 || swap === 8) {
      folder.put("iris.onnx", "not a model");
      await everyProcess("failed to load", swap / 4);
      const health = await ask(server.url, "/health");
      expect([health.status, health.text]).toEqual([200, expect.stringContaining("iris.onnx")]);
      expect((await readMetrics(server.facts.metrics)).sum("model_stale")).toBe(2);
    }
  }
  const seen = count;
  await eventually(() => count > seen + 50, "traffic after the last swap");
  isDone = true;
  await Promise.all(clients);
  expect(failures).toEqual([]);
  expect(versions).toEqual(new Set(["iris@1", "iris@2"]));
  expect((await ask(server.url, "/health")).json).toEqual({ health: "ok" });
});

it("a model file that is overwritten in place is served in the end, and nothing fails meanwhile", async () => {
  using folder = new Workspace({
    "millrace.yaml": "models:\n  iris: ./iris.onnx\n",
    "iris.onnx": IRIS,
  });
  await using server = await MillraceProcess.start(["serve", "millrace.yaml"], {
    cwd: folder.path,
  });
  cpSync(IRIS_V2.copyOf, folder.file("iris.onnx"));
  const reply = await eventually(async () => {
    const answer = await predict(server, "iris");
    expect(answer.status).toBe(200);
    return answer.headers["x-model"] === "iris@2" && answer;
  }, "the new version");
  expectPrediction(reply, PROBABILITIES.v2);
});

it("keeps version numbers over a restart", async () => {
  using folder = new Workspace({
    "millrace.yaml": "models:\n  iris: ./iris.onnx\n",
    "iris.onnx": IRIS,
  });
  for (const [file, version] of [
    [IRIS, "iris@1"],
    [IRIS_V2, "iris@2"],
    [IRIS, "iris@1"],
  ] as const) {
    folder.put("iris.onnx", file);
    const server = await MillraceProcess.start(["serve", "millrace.yaml"], { cwd: folder.path });
    expect((await predict(server, "iris")).headers["x-model"]).toBe(version);
    await server.stop();
  }
});

it("memory comes back: 60 reloads leave no trace", async () => {
  using folder = new Workspace({
    "millrace.yaml": "models:\n  iris: ./iris.onnx\n",
    "iris.onnx": IRIS,
  });
  await using server = await MillraceProcess.start(["serve", "millrace.yaml"], {
    cwd: folder.path,
  });
  const reload = async (count: number): Promise<number> => {
    for (let i = 0; i < count; i++) {
      const [file, version] =
        i % 2 === 0 ? ([IRIS_V2, "iris@2"] as const) : ([IRIS, "iris@1"] as const);
      folder.put("iris.onnx", file);
      await eventually(
        async () => (await predict(server, "iris")).headers["x-model"] === version,
        version,
      );
    }
    return (await readMetrics(server.facts.metrics)).sum("process_resident_memory_bytes");
  };
  const before = await reload(10);
  const after = await reload(50);
  expect((after - before) / 2 ** 20).toBeLessThan(40); // MiB; a leaked session alone would be 2 MiB each
});
