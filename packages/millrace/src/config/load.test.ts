import { mkdtemp, mkdir, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { loadConfig } from "./load.ts";
import type { LoadOptions, LoadResult } from "./load.ts";
import { renderProblem } from "./problem.ts";

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

/** A new folder with the given files. */
async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "millrace-config-")));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

async function load(
  files: Readonly<Record<string, string>>,
  options: Partial<LoadOptions> = {},
): Promise<LoadResult> {
  return loadConfig({ flags: [], env: {}, cwd: await folderWith(files), ...options });
}

function okOf(result: LoadResult) {
  if (result.kind === "invalid") throw new Error(result.problems.map(renderProblem).join("\n"));
  return result;
}

function linesOf(result: LoadResult): readonly string[] {
  return result.kind === "ok" ? [] : result.problems.map(renderProblem);
}

const IRIS = "models: { iris: ./iris.onnx }\n";

describe("loadConfig() finds the configuration", () => {
  it("fills in every default and makes paths absolute", async () => {
    const cwd = await folderWith({ "shop/millrace.yaml": IRIS });
    const { config } = okOf(await loadConfig({ file: "shop", flags: [], env: {}, cwd }));
    expect(config).toEqual({
      name: "shop",
      owner: undefined,
      runbook: undefined,
      file: join(cwd, "shop/millrace.yaml"),
      server: {
        host: "127.0.0.1",
        httpPort: 8000,
        grpcPort: 8001,
        metricsPort: 8002,
        controlPort: 8080,
        processes: "auto",
        bodyBytesMax: 64 * 1024 * 1024,
        drainMs: 30_000,
        keys: [],
        tls: undefined,
        corsOrigins: [],
        log: { levels: { default: "info" }, format: "json", access: "errors", file: undefined },
      },
      cacheStore: { kind: "memory" },
      log: {
        sink: "parquet",
        text: undefined,
        durability: { kind: "interval", everyMs: 200 },
        whenFull: "drop",
        rollMs: 300_000,
        walBytesMax: 5 * 1024 ** 3,
        diskFreeMin: 0.1,
        retention: { rowsMs: 30 * 86_400_000, payloadMs: 7 * 86_400_000, isHeld: false },
        redact: {},
        key: undefined,
        feedbackWindowMs: 14 * 86_400_000,
        query: { timeoutMs: 30_000, memoryBytesMax: 1024 ** 3 },
      },
      traces: undefined,
      stateDir: join(cwd, "shop/.millrace"),
      models: {
        iris: {
          name: "iris",
          source: { kind: "path", path: join(cwd, "shop/iris.onnx") },
          sha256: undefined,
          fallback: undefined,
          runtime: "onnx",
          labels: undefined,
          output: undefined,
          score: 0,
          inputs: {},
          sample: undefined,
          threads: 1,
          instances: "auto",
          placement: "auto",
          batch: { rowsMax: 64, delayMs: 0, oversize: "split" },
          slo: undefined,
          serve: { kind: "latest" },
          reload: { kind: "watch" },
          isRequired: true,
        },
      },
      services: {
        iris: {
          name: "iris",
          isDefault: true,
          graph: { kind: "model", name: "iris", at: ["services", "iris", "graph"], model: "iris" },
          timeoutMs: 2000,
          limits: { concurrency: "auto", queue: 1000, ratePerSecond: undefined },
          overload: { kind: "reject" },
          rules: [],
          experiment: undefined,
          shadows: [],
          reply: { include: [] },
          cache: { prediction: undefined, data: undefined },
          parameters: {
            isActive: true,
            branches: {},
            deactivated: "503",
            thresholds: undefined,
            thresholdDefault: 0.95,
            retries: 0,
          },
          log: {
            payload: "full",
            sample: 1,
            fields: undefined,
            unit: undefined,
            attributes: {},
            outlier: undefined,
          },
        },
      },
    });
  });

  it("prefers millrace.yaml, then millrace.yml, then millrace.config.ts", async () => {
    const yml = { "millrace.yml": `name: second\n${IRIS}` };
    expect(okOf(await load(yml)).config.name).toBe("second");
    const both = { ...yml, "millrace.yaml": `name: first\n${IRIS}` };
    expect(okOf(await load(both)).config.name).toBe("first");
  });

  it("names all three files when none is there", async () => {
    const [line] = linesOf(await load({}));
    expect(line).toContain("none of millrace.yaml, millrace.yml, millrace.config.ts");
  });

  it("reads the default export of millrace.config.ts", async () => {
    const text = `export default { name: "typed", models: { iris: "./iris.onnx" } };\n`;
    expect(okOf(await load({ "millrace.config.ts": text })).config.name).toBe("typed");
  });

  it("reports problems of millrace.config.ts with the file and no line", async () => {
    const text = `export default { models: { iris: "./iris.onnx" }, server: { drain: 30 } };\n`;
    expect(linesOf(await load({ "millrace.config.ts": text }))).toEqual([
      "millrace.config.ts server.drain: found 30, expected a duration with its unit: ms, s, m, h, d (30s?)",
    ]);
    const [broken] = linesOf(await load({ "millrace.config.ts": "throw new Error('no\\nway');" }));
    expect(broken).toBe("millrace.config.ts: cannot be run: no");
    const [empty] = linesOf(await load({ "millrace.config.ts": "export const a = 1;" }));
    expect(empty).toContain("the default export: found nothing");
  });

  it("takes model files instead of a file, named by what is valid of their names", async () => {
    const result = okOf(await load({}, { models: ["a/iris svc.onnx", "stats.onnx"] }));
    expect(Object.keys(result.config.models)).toEqual(["iris-svc", "stats-model"]);
    expect(result.config.file).toBeUndefined();
    expect(Object.values(result.config.services).some((service) => service.isDefault)).toBe(false);
    const single = okOf(await load({}, { models: ["iris.onnx"] }));
    expect(single.config.services["iris"]?.isDefault).toBe(true);
  });

  it("refuses two model files of one name", async () => {
    const lines = linesOf(await load({}, { models: ["a/iris.onnx", "b/iris.onnx"] }));
    expect(lines).toEqual([
      'argument b/iris.onnx models.iris: name clash: two models are named "iris"',
    ]);
  });

  it("takes an object, and then keeps no state unless it says so", async () => {
    const input = { models: { iris: "./iris.onnx" } };
    expect(okOf(await load({}, { input })).config.stateDir).toBeUndefined();
    const kept = okOf(await load({}, { input: { ...input, state: { dir: "s" } } }));
    expect(kept.config.stateDir).toMatch(/\/s$/);
  });

  it.each([
    ["no such file", { file: "missing.yaml" }, "missing.yaml: no such file"],
    ["an unknown kind of file", { file: "millrace.json" }, "found a .json file, expected .yaml"],
  ])("reports %s", async (_, options, line) => {
    const lines = linesOf(await load({ "millrace.json": "{}" }, options));
    expect(lines[0]).toContain(line);
  });

  it("refuses a file above 1 MiB", async () => {
    const lines = linesOf(await load({ "millrace.yaml": `#${"x".repeat(1024 * 1024)}` }));
    expect(lines[0]).toContain("expected at most 1 MiB");
  });

  it.each(["", "# nothing\n", "models: {}\n"])("refuses %j, which has no model", async (text) => {
    const lines = linesOf(await load({ "millrace.yaml": text }));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("expected at least one model");
  });

  it("refuses a file that is a list", async () => {
    const lines = linesOf(await load({ "millrace.yaml": "- a\n" }));
    expect(lines[0]).toMatch(/^millrace.yaml:1:1: found a list, expected an object/);
  });
});

describe("loadConfig() takes values in the order flag, environment, file, default", () => {
  const file = { "millrace.yaml": `server: { httpPort: 1, metricsPort: 1 }\n${IRIS}` };

  it("lets a flag win over the environment, and that over the file", async () => {
    const env = { MILLRACE_SERVER_HTTP_PORT: "2", MILLRACE_SERVER_METRICS_PORT: "2" };
    const { config, origins } = okOf(await load(file, { env, flags: ["--port", "3"] }));
    expect(config.server).toMatchObject({ httpPort: 3, metricsPort: 2 });
    expect(origins.get("server.httpPort")).toEqual({ kind: "flag", flag: "--port" });
    expect(origins.get("server.metricsPort")?.kind).toBe("environment");
    expect(origins.get("models.iris.source")?.kind).toBe("file");
    expect(origins.get("server.host")?.kind).toBe("default");
  });

  it("takes keys of batches, limits and overload from variables and flags", async () => {
    const env = {
      MILLRACE_SERVER_GRPC_PORT: "off",
      MILLRACE_SERVICES_IRIS_LIMITS_QUEUE: "10",
      MILLRACE_SERVICES_IRIS_LIMITS_RATE: "120/m",
      MILLRACE_MODELS_IRIS_SLO_AVAILABILITY: "0.999",
      MILLRACE_MODELS_IRIS_BATCH: "off",
    };
    const flags = [
      "--models.iris.batch.rows-max",
      "32",
      "--models.iris.slo.latency-p99=20ms",
      "--models.iris.instances=2",
      "--models.iris.placement=worker",
      "--services.iris.limits.concurrency=off",
      '--services.iris.overload.reply={"prediction":null}',
    ];
    const { config, origins } = okOf(await load(file, { env, flags }));
    expect(config.server.grpcPort).toBe("off");
    // The flag wins over the variable that switches batches off.
    expect(config.models["iris"]).toMatchObject({
      instances: 2,
      placement: "worker",
      batch: { rowsMax: 32, delayMs: 0, oversize: "split" },
      slo: { latencyP99Ms: 20, availability: 0.999 },
    });
    expect(config.services["iris"]).toMatchObject({
      limits: { concurrency: "off", queue: 10, ratePerSecond: 2 },
      overload: { kind: "reply", reply: { prediction: null } },
    });
    expect(origins.get("models.iris.batch.rowsMax")).toEqual({
      kind: "flag",
      flag: "--models.iris.batch.rows-max",
    });
    expect(origins.get("services.iris.limits.queue")?.kind).toBe("environment");
    expect(origins.get("services.iris.limits.concurrency")?.kind).toBe("flag");
    expect(origins.get("models.iris.batch.delay")?.kind).toBe("default");
    expect(okOf(await load(file)).origins.get("server.grpcPort")?.kind).toBe("default");
  });

  it("lets the environment win over .env beside the file", async () => {
    const envFile = "MILLRACE_SERVER_HTTP_PORT=5\nMILLRACE_SERVER_METRICS_PORT=5\nWHO=ann\n";
    const files = { "millrace.yaml": `owner: ${"${WHO}"}\n${IRIS}`, ".env": envFile };
    const { config } = okOf(await load(files, { env: { MILLRACE_SERVER_HTTP_PORT: "6" } }));
    expect(config.server).toMatchObject({ httpPort: 6, metricsPort: 5 });
    expect(config.owner).toBe("ann");
  });

  it("reads no .env when there is no file for it to be beside", async () => {
    const input = { models: { iris: "./iris.onnx" } };
    const files = { ".env": "MILLRACE_SERVER_HTTP_PORT=5\n" };
    expect(okOf(await load(files, { input })).config.server.httpPort).toBe(8000);
  });

  it("reads flags in every form", async () => {
    const flags = [
      "--server.http-port=9",
      "--host",
      "0.0.0.0",
      "--server.metricsPort",
      "off",
      "--server.cors.origins=https://a,https://b",
      "--models.iris.threads",
      "2",
      "--models.iris.required=false",
      "--models.new",
      "new.onnx",
    ];
    const { config } = okOf(await load(file, { flags }));
    expect(config.server).toMatchObject({
      httpPort: 9,
      host: "0.0.0.0",
      metricsPort: "off",
      corsOrigins: ["https://a", "https://b"],
    });
    expect(config.models["iris"]).toMatchObject({ threads: 2, isRequired: false });
    expect(config.services["new"]?.graph).toMatchObject({ kind: "model", model: "new" });
    const parsed = okOf(await load(file, { flags: { "server.http-port": "7", host: "::1" } }));
    expect(parsed.config.server).toMatchObject({ httpPort: 7, host: "::1" });
  });

  it("replaces only the source of a model that a flag gives as a bare path", async () => {
    const files = { "millrace.yaml": "models: { iris: { source: a.onnx, threads: 2 } }" };
    const { config } = okOf(await load(files, { flags: ["--models.iris", "b.onnx"] }));
    expect(config.models["iris"]).toMatchObject({
      source: { path: expect.stringMatching(/b\.onnx$/) as string },
      threads: 2,
    });
  });

  it("adds one level to a bare log level", async () => {
    const files = { "millrace.yaml": `server: { log: { level: warn } }\n${IRIS}` };
    const { config } = okOf(await load(files, { flags: ["--server.log.level.batch", "debug"] }));
    expect(config.server.log.levels).toEqual({ default: "warn", batch: "debug" });
  });

  it("sets keys of services nobody wrote without making them declared ones", async () => {
    const files = { "millrace.yaml": "models: { a: a.onnx, b-c: b.onnx }" };
    const env = { MILLRACE_SERVICES_B_C_TIMEOUT: "5s" };
    const { services } = okOf(await load(files, { env })).config;
    expect(services["b-c"]).toMatchObject({ timeoutMs: 5000, isDefault: false });
    expect(services["a"]).toMatchObject({ timeoutMs: 2000, isDefault: false });
  });

  it("leaves an empty and a reserved variable alone", async () => {
    const env = { MILLRACE_SERVER_HTTP_PORT: "", MILLRACE_CONFIG: "x.yaml" };
    expect(okOf(await load(file, { env })).config.server.httpPort).toBe(1);
  });

  it("reports unknown variables and flags with the nearest key", async () => {
    const env = { MILLRACE_SERVER_HTTPPORT: "1", MILLRACE_SERVER_DRAIN: "5" };
    const flags = ["--prot", "1", "--server.log.fromat=json", "word", "--port"];
    expect(linesOf(await load(file, { env, flags }))).toEqual([
      'environment MILLRACE_SERVER_HTTPPORT: no such key. Did you mean "MILLRACE_SERVER_HTTP_PORT"?',
      'flag --prot: no such key. Did you mean "--port"?',
      'flag --server.log.fromat: no such key. Did you mean "--server.log.format"?',
      "flag word: unexpected word, expected --key value",
      "flag --port server.httpPort: has no value",
      'environment MILLRACE_SERVER_DRAIN server.drain: found "5", expected a duration with its unit: ms, s, m, h, d (5s?)',
    ]);
  });

  it("reports a variable that can mean two keys", async () => {
    const files = { "millrace.yaml": "models: { a-b: a.onnx, a_b: b.onnx }" };
    const lines = linesOf(await load(files, { env: { MILLRACE_MODELS_A_B_THREADS: "2" } }));
    expect(lines[0]).toContain("ambiguous, it can mean models.a-b.threads and models.a_b.threads");
  });

  it("does not let a flag reach the prototype of objects", async () => {
    const lines = linesOf(await load(file, { flags: ["--models.__proto__.threads", "2"] }));
    expect(lines[0]).toContain("no such key");
    expect(({} as Record<string, unknown>)["threads"]).toBeUndefined();
  });
});

describe("loadConfig() reports every problem at once", () => {
  it("names place, path, what was found and what is allowed", async () => {
    const text = [
      "server:",
      "  drain: 30",
      "  bodyMax: 1GiBs",
      "  metricsPort: of",
      "  httpPort: 70000",
      "  log: { access: error }",
      "models:",
      "  iris: { source: iris.onnx, reload: { poll: 5 }, labels: missing.txt, threads: 0 }",
      "  bad name: x.onnx",
      "services:",
      "  iris: { graph: iris, timeot: 2s }",
      "  shop: { graph: irsi }",
    ].join("\n");
    const NAME = `a name: letters, digits, ".", "_" and "-", beginning with a letter or digit, at most 128, not "stats"`;
    expect(linesOf(await load({ "millrace.yaml": text }))).toEqual([
      "millrace.yaml:2:10 server.drain: found 30, expected a duration with its unit: ms, s, m, h, d (30s?)",
      'millrace.yaml:3:12 server.bodyMax: found "1GiBs", expected a size with its unit: B, KiB, MiB, GiB',
      'millrace.yaml:4:16 server.metricsPort: found "of", expected off or a whole number 0 to 65535. Did you mean "off"?',
      "millrace.yaml:5:13 server.httpPort: found 70000, expected a whole number 0 to 65535",
      'millrace.yaml:6:18 server.log.access: found "error", expected off, errors or all. Did you mean "errors"?',
      "millrace.yaml:8:46 models.iris.reload.poll: found 5, expected a duration with its unit: ms, s, m, h, d (5s?)",
      'millrace.yaml:8:59 models.iris.labels: label file "missing.txt" does not exist',
      "millrace.yaml:8:81 models.iris.threads: found 0, expected a whole number 1 to 256",
      `millrace.yaml:9:3 models.bad name: found the name "bad name", expected ${NAME}`,
      'millrace.yaml:11:24 services.iris.timeot: unknown key "timeot"; known keys: default, graph, timeout, limits, overload, cache, parameters, traffic, reply, log. Did you mean "timeout"?',
      'millrace.yaml:12:18 services.shop.graph: found "irsi", expected the name of a model or service: iris, bad name. Did you mean "iris"?',
    ]);
  });

  it("names what is wrong with batches, objectives, limits and overload", async () => {
    const text = [
      "models:",
      "  iris:",
      "    source: iris.onnx",
      "    instances: 65",
      "    placement: inlin",
      "    batch: { rowMax: 3, delay: 11s, oversize: splt }",
      "    slo: { latencyP99: 20, availability: 99.9 }",
      "  plant: { source: plant.onnx, batch: on, slo: { availability: 150% } }",
      "services:",
      "  iris:",
      "    limits: { concurrency: 0, queue: -1, rate: 2000 }",
      "    overload: async",
      "  plant: { limits: { rate: 5/d }, overload: rejct }",
      "server: { grpcPort: 65536 }",
    ].join("\n");
    expect(linesOf(await load({ "millrace.yaml": text }))).toEqual([
      "millrace.yaml:4:16 models.iris.instances: found 65, expected auto or a whole number 1 to 64",
      'millrace.yaml:5:16 models.iris.placement: found "inlin", expected auto, inline or worker. Did you mean "inline"?',
      'millrace.yaml:6:14 models.iris.batch.rowMax: unknown key "rowMax"; known keys: rowsMax, delay, oversize. Did you mean "rowsMax"?',
      'millrace.yaml:6:32 models.iris.batch.delay: found "11s", expected 0ms to 10s',
      'millrace.yaml:6:47 models.iris.batch.oversize: found "splt", expected split or reject. Did you mean "split"?',
      "millrace.yaml:7:24 models.iris.slo.latencyP99: found 20, expected a duration with its unit: ms, s, m, h, d (20s?)",
      "millrace.yaml:7:42 models.iris.slo.availability: found 99.9, expected a percentage 0% to 100% or a ratio 0 to 1 (99.9%?)",
      'millrace.yaml:8:39 models.plant.batch: found "on", expected off or an object with rowsMax, delay, oversize',
      'millrace.yaml:8:64 models.plant.slo.availability: found "150%", expected 0% to 100%, or 0 to 1',
      "millrace.yaml:11:28 services.iris.limits.concurrency: found 0, expected auto, off or a whole number 1 to 100000",
      "millrace.yaml:11:38 services.iris.limits.queue: found -1, expected a whole number 0 to 1000000",
      "millrace.yaml:11:48 services.iris.limits.rate: found 2000, expected a rate with its unit: /s, /m, /h (2000/s?)",
      'millrace.yaml:12:15 services.iris.overload: found "async", which is not in this version, expected reject, cached, an object with reply or an object with fallback',
      'millrace.yaml:13:28 services.plant.limits.rate: found "5/d", expected a rate with its unit: /s, /m, /h',
      'millrace.yaml:13:45 services.plant.overload: found "rejct", expected reject, cached, an object with reply or an object with fallback. Did you mean "reject"?',
      "millrace.yaml:14:21 server.grpcPort: found 65536, expected off or a whole number 0 to 65535",
    ]);
  });

  it("gives each problem its parts", async () => {
    const result = await load({ "millrace.yaml": `nmae: x\n${IRIS}` });
    expect(result.kind === "invalid" && result.problems).toEqual([
      {
        source: "file",
        name: undefined,
        file: "millrace.yaml",
        line: 1,
        column: 1,
        path: "nmae",
        message:
          'unknown key "nmae"; known keys: name, owner, runbook, server, state, log, traces, models, services',
        allowed: "name, owner, runbook, server, state, log, traces, models, services",
        didYouMean: "name",
      },
    ]);
  });

  it("says which bounds a duration or size is out of", async () => {
    const text = `server: { bodyMax: 3GiB, drain: 2d }\n${IRIS}`;
    expect(linesOf(await load({ "millrace.yaml": text }))).toEqual([
      'millrace.yaml:1:20 server.bodyMax: found "3GiB", expected 1KiB to 2GiB',
      'millrace.yaml:1:33 server.drain: found "2d", expected 0ms to 1d',
    ]);
  });

  it("points at the object when a key in it is missing", async () => {
    const lines = linesOf(await load({ "millrace.yaml": "models:\n  iris: { threads: 1 }\n" }));
    expect(lines).toEqual([
      "millrace.yaml:2:3 models.iris.source: missing, expected a path or an https:// address",
    ]);
  });

  it("reports syntax errors with line and column", async () => {
    const lines = linesOf(await load({ "millrace.yaml": "name: a\nname: b\n" }));
    expect(lines).toEqual(['millrace.yaml:2:1: the key "name" stands here a second time']);
  });

  it("reports a variable without a value at its place, and nothing else about that key", async () => {
    const text = `server: { auth: { keys: [{ name: a, secret: ${"${NO_KEY}"} }] } }\n${IRIS}`;
    expect(linesOf(await load({ "millrace.yaml": text }))).toEqual([
      "millrace.yaml:1:45 server.auth.keys[0].secret: environment variable NO_KEY is not set; set it or write ${NO_KEY:-default}",
    ]);
  });
});

describe("loadConfig() prints no secret", () => {
  it("hides secrets and what came from the environment", async () => {
    const text = [
      "server:",
      "  httpPort: ${PORT}",
      "  log: { format: ${FORMAT} }",
      "  auth: { keys: [{ name: a, secret: my secret }, { name: b, secret: ${KEY} }] }",
      "models: { iris: { source: iris.onnx, labels: ${LABELS} } }",
      "services: { shop: { graph: ${GRAPH} } }",
    ].join("\n");
    const env = {
      PORT: "hidden1",
      FORMAT: "hidden2",
      KEY: "hidden 3",
      LABELS: "hidden4.txt",
      GRAPH: "hidden5",
      MILLRACE_SERVER_AUTH_KEYS: "",
    };
    const lines = linesOf(await load({ "millrace.yaml": text }, { env }));
    expect(lines).toHaveLength(6);
    expect(lines.join("\n")).not.toMatch(/hidden|my secret/);
    expect(lines[0]).toContain('found "${PORT}", expected');
  });

  it("hides keys that a variable gives in a wrong form", async () => {
    const env = { MILLRACE_SERVER_AUTH_KEYS: '[{"name":"a","secret":"hidden"' };
    const lines = linesOf(await load({ "millrace.yaml": IRIS }, { env }));
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain("hidden");
  });
});

describe("loadConfig() warns", () => {
  it("of model files that are not there, without refusing them", async () => {
    const text = "models:\n  a: a.onnx\n  b: { source: b.onnx, fallback: c.onnx }\n";
    const { missingSources } = okOf(await load({ "millrace.yaml": text, "b.onnx": "" }));
    expect(missingSources.map(({ model, key, location }) => [model, key, location])).toEqual([
      ["a", "source", "millrace.yaml:2:6"],
      ["b", "fallback", "millrace.yaml:3:34"],
    ]);
  });
});
