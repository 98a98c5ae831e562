import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Config } from "./config.ts";
import { loadConfig } from "./load.ts";
import type { LoadResult } from "./load.ts";
import { renderProblem } from "./problem.ts";

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

/** Loads `yaml` from a new folder that has `files` beside it. */
async function load(
  yaml: string,
  files: Readonly<Record<string, string>> = {},
): Promise<LoadResult> {
  const cwd = await realpath(await mkdtemp(join(tmpdir(), "millrace-resolve-")));
  folders.push(cwd);
  for (const [name, text] of Object.entries({ ...files, "millrace.yaml": yaml })) {
    await writeFile(join(cwd, name), text);
  }
  return loadConfig({ flags: [], env: {}, cwd });
}

async function configOf(
  yaml: string,
  files: Readonly<Record<string, string>> = {},
): Promise<Config> {
  const result = await load(yaml, files);
  if (result.kind === "invalid") throw new Error(result.problems.map(renderProblem).join("\n"));
  return result.config;
}

async function linesOf(yaml: string, files: Readonly<Record<string, string>> = {}) {
  const result = await load(yaml, files);
  return result.kind === "ok" ? [] : result.problems.map(renderProblem);
}

describe("resolveServices()", () => {
  const MODELS = "models: { a: a.onnx, b: b.onnx }\n";

  it("follows services to their model", async () => {
    const { services } = await configOf(`${MODELS}services: { x: { graph: y }, y: { graph: a } }`);
    expect(services["x"]?.graph).toMatchObject({ kind: "model", model: "a" });
    expect(services["y"]?.graph).toMatchObject({ kind: "model", model: "a" });
  });

  it("lets a service have the name of the model it runs, with or without graph", async () => {
    const { services } = await configOf(`${MODELS}services: { a: { graph: a }, b: {} }`);
    expect(services["a"]?.graph).toMatchObject({ kind: "model", model: "a" });
    expect(services["b"]?.graph).toMatchObject({ kind: "model", model: "b" });
  });

  it("finds no default among several models", async () => {
    const { services } = await configOf(MODELS);
    expect(Object.values(services).map(({ isDefault }) => isDefault)).toEqual([false, false]);
  });

  it("makes the only declared service the default, however many models there are", async () => {
    const { services } = await configOf(`${MODELS}services: { x: { graph: a } }`);
    expect(services["x"]?.isDefault).toBe(true);
    expect(services["a"]?.isDefault).toBe(false);
  });

  it("makes the marked service the default, and none when the only one says no", async () => {
    const marked = await configOf(`${MODELS}services: { x: { graph: a }, b: { default: true } }`);
    expect(marked.services["b"]?.isDefault).toBe(true);
    expect(marked.services["x"]?.isDefault).toBe(false);
    const none = await configOf("models: { a: a.onnx }\nservices: { a: { default: false } }");
    expect(none.services["a"]?.isDefault).toBe(false);
  });

  it("refuses two defaults", async () => {
    const lines = await linesOf(
      `${MODELS}services: { a: { default: true }, b: { default: true } }`,
    );
    expect(lines).toEqual([
      'millrace.yaml:2:49 services.b.default: both "a" and "b" are the default, expected one',
    ]);
  });

  it("names a cycle once, and not the services that lead to it", async () => {
    const lines = await linesOf(
      `${MODELS}services: { x: { graph: z }, z: { graph: y }, y: { graph: z } }`,
    );
    expect(lines).toEqual([
      "millrace.yaml:2:59 services.y.graph: services run each other in a cycle: y -> z -> y",
    ]);
    expect(await linesOf(`${MODELS}services: { x: { graph: x } }`)).toEqual([
      "millrace.yaml:2:25 services.x.graph: services run each other in a cycle: x -> x",
    ]);
  });

  it("refuses a service with a model's name that runs another one", async () => {
    const lines = await linesOf(`${MODELS}services: { a: { graph: b } }`);
    expect(lines[0]).toContain('services.a.graph: name clash: "a" is also a model');
  });

  it("refuses a service without graph that has no model's name", async () => {
    const lines = await linesOf(`${MODELS}services: { x: {} }`);
    expect(lines[0]).toContain('services.x.graph: missing, and no model is named "x"');
  });

  it("takes names that every object has", async () => {
    const { models, services } = await configOf(
      "models: { constructor: a.onnx, toString: b.onnx }",
    );
    expect(Object.keys(models)).toEqual(["constructor", "toString"]);
    expect(services["toString"]?.graph).toMatchObject({ kind: "model", model: "toString" });
    const lines = await linesOf(`${MODELS}services: { x: { graph: constructor } }`);
    expect(lines[0]).toContain('found "constructor"');
  });
});

describe("resolveModel()", () => {
  const withSource = (source: string) => `models: { a: { source: "${source}" } }`;

  it.each([
    ["s3://bucket/a.onnx", "s3: is not in this version"],
    ["models:/iris/3", "models: is not in this version"],
    ["ftp://host/a.onnx", "ftp: is not known"],
    ["file:///a.onnx", "file: is not known"],
    ["https://host/a.onnx", "expected sha256 beside it"],
    ["http://host/a.onnx", "http:// is only for this machine"],
    ["http://127.0.0.1.evil.example/a.onnx", "http:// is only for this machine"],
    ["https://", "expected a valid address"],
  ])("refuses source %s", async (source, message) => {
    const [line] = await linesOf(withSource(source));
    expect(line).toContain("models.a.source: found ");
    expect(line).toContain(message);
  });

  it("takes https:// with sha256, and http:// of this machine", async () => {
    const digest = "AB".repeat(32);
    const yaml = `models: { a: { source: "https://host/a.onnx", sha256: ${digest} }, b: "http://localhost:1/b.onnx" }`;
    const { models } = await configOf(yaml);
    expect(models["a"]?.source).toEqual({ kind: "url", url: "https://host/a.onnx" });
    expect(models["a"]?.sha256).toBe("ab".repeat(32));
    expect(models["b"]?.source.kind).toBe("url");
  });

  it("takes only a path as fallback", async () => {
    const yaml = "models: { a: { source: a.onnx, fallback: http://localhost/b.onnx } }";
    expect((await linesOf(yaml))[0]).toContain("a fallback must be on this machine");
  });

  it("hides name and password of an address", async () => {
    const [line] = await linesOf(withSource("http://ann:pass@host/a.onnx"));
    expect(line).not.toContain("pass");
  });

  it.each([
    ["labels.txt", "setosa\r\nversicolor\n", ["setosa", "versicolor"]],
    ["labels.json", '["setosa", "versicolor"]', ["setosa", "versicolor"]],
    ["labels.json", '{ "1": "versicolor", "0": "setosa" }', ["setosa", "versicolor"]],
  ])("reads labels from %s with %j", async (file, text, labels) => {
    const { models } = await configOf(`models: { a: { source: a.onnx, labels: ${file} } }`, {
      [file]: text,
    });
    expect(models["a"]?.labels).toEqual(labels);
  });

  it.each([
    ["labels.txt", "", "is empty"],
    ["labels.txt", "a\n\nb\n", "has no label in line 2"],
    ["labels.json", "[1, 2]", "holds no labels"],
    ["labels.json", '{ "1": "a" }', "holds no labels"],
    ["labels.json", "[", "is not valid JSON"],
    ["labels.csv", "a", "is not a label file, expected .txt or .json"],
  ])("refuses labels in %s with %j", async (file, text, message) => {
    const lines = await linesOf(`models: { a: { source: a.onnx, labels: ${file} } }`, {
      [file]: text,
    });
    expect(lines).toEqual(
      [`millrace.yaml:1:40 models.a.labels: label file "${file}" ${message}`].map(
        (line) => expect.stringContaining(line) as string,
      ),
    );
  });

  it("reads the sample from a file and keeps one that is written out", async () => {
    const yaml = `models: { a: { source: a.onnx, sample: "@rows.json" }, b: { source: b.onnx, sample: { x: [[1]] } } }`;
    const { models } = await configOf(yaml, { "rows.json": "[[5.1, 3.5]]" });
    expect(models["a"]?.sample).toEqual([[5.1, 3.5]]);
    expect(models["b"]?.sample).toEqual({ x: [[1]] });
  });

  it.each([
    ["{}x", "is not valid JSON"],
    ["5", "holds no rows"],
  ])("refuses a sample file with %j", async (text, message) => {
    const yaml = `models: { a: { source: a.onnx, sample: "@rows.json" } }`;
    expect((await linesOf(yaml, { "rows.json": text }))[0]).toContain(message);
    expect((await linesOf(yaml))[0]).toContain('sample file "@rows.json" does not exist');
  });

  it("reads every form of serve, reload and inputs", async () => {
    const yaml = [
      "models:",
      "  a: { source: a, serve: [1, 2], reload: { poll: 30s } }",
      '  b: { source: b, serve: all, reload: "poll: 500ms" }',
      "  c: { source: c, reload: off, inputs: { x: { names: [w, h], unit: cm, range: [0, 20] } } }",
    ].join("\n");
    const { models } = await configOf(yaml);
    expect(models["a"]).toMatchObject({
      serve: { kind: "list", versions: [1, 2] },
      reload: { kind: "poll", everyMs: 30_000 },
    });
    expect(models["b"]).toMatchObject({ serve: { kind: "all" }, reload: { everyMs: 500 } });
    expect(models["c"]?.reload).toEqual({ kind: "off" });
    expect(models["c"]?.inputs).toEqual({ x: { names: ["w", "h"], unit: "cm", range: [0, 20] } });
  });

  it("reads every form of batch, slo and placement", async () => {
    const yaml = [
      "models:",
      "  a: { source: a, batch: off }",
      "  b: { source: b, batch: { rowsMax: 8, delay: 2ms, oversize: reject }, placement: inline }",
      "  c: { source: c, batch: {}, instances: 3, slo: { latencyP99: 20ms, availability: 99.9% } }",
      "  d: { source: d, slo: { availability: 0.999 } }",
      "  e: { source: e, batch: { delay: 1s }, slo: {} }",
    ].join("\n");
    const { models } = await configOf(yaml);
    expect(models["a"]?.batch).toEqual({ rowsMax: 1, delayMs: 0, oversize: "split" });
    expect(models["b"]?.batch).toEqual({ rowsMax: 8, delayMs: 2, oversize: "reject" });
    expect(models["b"]?.placement).toBe("inline");
    expect(models["c"]?.batch).toEqual({ rowsMax: 64, delayMs: 0, oversize: "split" });
    expect(models["c"]?.instances).toBe(3);
    expect(models["c"]?.slo).toEqual({ latencyP99Ms: 20, availability: 0.999 });
    expect(models["d"]?.slo).toEqual({ latencyP99Ms: undefined, availability: 0.999 });
    expect(models["e"]?.batch).toEqual({ rowsMax: 64, delayMs: 1000, oversize: "split" });
    expect(models["e"]?.slo).toEqual({ latencyP99Ms: undefined, availability: undefined });
  });

  it("refuses a range that is upside down", async () => {
    const yaml = "models: { a: { source: a, inputs: { x: { range: [2, 1] } } } }";
    expect((await linesOf(yaml))[0]).toContain("the first bound is above the second one");
  });
});

describe("resolveOverload()", () => {
  const MODELS = "models: { a: a.onnx, b: b.onnx }\n";

  it("follows a fallback to its model", async () => {
    const { services } = await configOf(
      `${MODELS}services: { a: { overload: { fallback: b } }, x: { graph: a, overload: { fallback: y } }, y: { graph: b } }`,
    );
    expect(services["a"]?.overload).toEqual({ kind: "fallback", model: "b" });
    expect(services["x"]?.overload).toEqual({ kind: "fallback", model: "b" });
    expect(services["b"]?.overload).toEqual({ kind: "reject" });
  });

  it.each([
    ["{ prediction: [0, null] }", { prediction: [0, null] }],
    ["[1, 2]", [1, 2]],
    ["busy", "busy"],
    ["null", null],
    ["0", 0],
  ])("takes the reply %s", async (written, reply) => {
    const { services } = await configOf(
      `${MODELS}services: { a: { overload: { reply: ${written} } } }`,
    );
    expect(services["a"]?.overload).toEqual({ kind: "reply", reply });
  });

  it("reads limits with the rate in requests a second", async () => {
    const { services } = await configOf(
      `${MODELS}services: { a: { limits: { concurrency: 7, queue: 0, rate: 100/m } }, b: { limits: { concurrency: off } } }`,
    );
    expect(services["a"]?.limits).toEqual({ concurrency: 7, queue: 0, ratePerSecond: 100 / 60 });
    expect(services["b"]?.limits).toEqual({
      concurrency: "off",
      queue: 1000,
      ratePerSecond: undefined,
    });
  });

  it("names a fallback that nobody has, with the nearest name", async () => {
    const yaml = `models: { a: a.onnx, small: b.onnx }\nservices: { a: { overload: { fallback: smal } } }`;
    expect(await linesOf(yaml)).toEqual([
      'millrace.yaml:2:40 services.a.overload.fallback: found "smal", expected the name of a model or service: small. Did you mean "small"?',
    ]);
  });

  it("refuses a fallback that is the service's own model, also by another service", async () => {
    const yaml = `${MODELS}services: { a: { overload: { fallback: a } }, x: { graph: a, overload: { fallback: y } }, y: { graph: a } }`;
    expect(await linesOf(yaml)).toEqual([
      'millrace.yaml:2:40 services.a.overload.fallback: found "a", which the service itself runs, expected another one',
      'millrace.yaml:2:84 services.x.overload.fallback: found "y", which runs "a" as this service does, expected another one',
    ]);
  });

  it("says nothing of a fallback whose service is broken, since that is reported there", async () => {
    const yaml = `${MODELS}services: { a: { overload: { fallback: x } }, x: { graph: nope } }`;
    const lines = await linesOf(yaml);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("services.x.graph");
  });
});

describe("resolveConfig()", () => {
  const MODELS = "models: { a: a.onnx }\n";

  it("checks that certificate and key are there", async () => {
    const yaml = `${MODELS}server: { tls: { cert: cert.pem, key: key.pem } }`;
    expect(await linesOf(yaml, { "cert.pem": "" })).toEqual([
      'millrace.yaml:2:39 server.tls.key: file "key.pem" does not exist',
    ]);
    const { server } = await configOf(yaml, { "cert.pem": "", "key.pem": "" });
    expect(server.tls?.certPath).toMatch(/\/cert\.pem$/);
  });

  it("refuses two keys of one name or one secret, without showing it", async () => {
    const yaml = `${MODELS}server: { auth: { keys: [{ name: a, secret: hidden }, { name: a, secret: hidden }] } }`;
    const lines = await linesOf(yaml);
    expect(lines).toHaveLength(2);
    expect(lines.join("\n")).toContain("the same secret as server.auth.keys[0]");
    expect(lines.join("\n")).not.toContain("hidden");
  });

  it("reads the log file with its sizes in bytes", async () => {
    const yaml = `${MODELS}server: { log: { level: { models: debug }, file: { path: log/a.log, sizeMax: 1MiB } } }`;
    const { log } = (await configOf(yaml)).server;
    expect(log.levels).toEqual({ default: "info", models: "debug" });
    expect(log.file).toEqual({
      path: expect.stringMatching(/\/log\/a\.log$/) as string,
      sizeBytesMax: 1024 * 1024,
      keep: 5,
    });
  });
});

describe("resolveRules()", () => {
  const MODELS = "models: { a: a.onnx, small: b.onnx }\n";
  const rules = (text: string): string =>
    `${MODELS}services: { x: { graph: a, traffic: { rules: [${text}] } }, y: { graph: small } }`;

  it("follows what a rule names to its model", async () => {
    const { services } = await configOf(
      rules(
        "{ name: m, when: { header: { target: b } }, to: small }, { name: n, when: { method: POST }, to: y }",
      ),
    );
    expect(services["x"]?.rules.map(({ name, to }) => [name, to])).toEqual([
      ["m", "small"],
      ["n", "small"],
    ]);
    expect(services["a"]?.rules).toEqual([]);
  });

  it("refuses a rule of the name that stands for none", async () => {
    expect(await linesOf(rules("{ name: default, when: { method: POST }, to: small }"))).toEqual([
      expect.stringContaining('rules[0].name: found "default", which metrics say when no rule'),
    ]);
  });

  it("names what nobody has with the nearest name, and a rule that is there twice", async () => {
    const when = "when: { method: POST }";
    expect(
      await linesOf(rules(`{ name: m, ${when}, to: smal }, { name: m, ${when}, to: small }`)),
    ).toEqual([
      expect.stringContaining(
        'services.x.traffic.rules[0].to: found "smal", expected the name of a model or service: a, small, y. Did you mean "small"?',
      ),
      expect.stringContaining(
        'services.x.traffic.rules[1].name: found "m" again, expected a name of its own',
      ),
    ]);
  });
});
