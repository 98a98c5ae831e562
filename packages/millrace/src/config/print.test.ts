import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadConfig } from "./load.ts";
import { configRows, printConfigJson, printConfigText } from "./print.ts";
import type { LoadedConfig } from "./print.ts";

const YAML = [
  "name: shop",
  "server:",
  "  drain: 5s",
  "  auth: { keys: [{ name: a, secret: hidden1 }, { name: b, secret: ${KEY} }] }",
  "models:",
  "  iris: ${FOLDER}/iris.onnx",
].join("\n");

async function load(): Promise<LoadedConfig> {
  const cwd = await mkdtemp(join(tmpdir(), "millrace-print-"));
  try {
    await writeFile(join(cwd, "millrace.yaml"), YAML);
    const env = { KEY: "hidden2", FOLDER: "hidden3", MILLRACE_SERVER_METRICS_PORT: "off" };
    const result = await loadConfig({ flags: ["--port", "9000"], env, cwd });
    if (result.kind === "invalid") throw new Error(JSON.stringify(result.problems));
    return result;
  } finally {
    await rm(cwd, { recursive: true });
  }
}

it("configRows() gives every effective value as written, with its source", async () => {
  const rows = configRows(await load());
  const of = (path: string) => rows.find((row) => row.path === path);
  expect(of("name")).toEqual({ path: "name", value: "shop", source: "file millrace.yaml:1:7" });
  expect(of("server.httpPort")).toMatchObject({ value: 9000, source: "flag --port" });
  expect(of("server.metricsPort")).toMatchObject({
    value: "off",
    source: "environment MILLRACE_SERVER_METRICS_PORT",
  });
  expect(of("server.drain")).toMatchObject({ value: "5s", source: "file millrace.yaml:3:10" });
  expect(of("server.bodyMax")).toMatchObject({ value: "64MiB", source: "default" });
  expect(of("models.iris.reload")).toMatchObject({ value: "watch", source: "default" });
  expect(of("services.iris.graph")).toMatchObject({ value: "iris", source: "default" });
  expect(of("services.iris.default")).toMatchObject({ value: true, source: "default" });
  expect(of("server.tls.cert")).toBeUndefined();
  expect(of("server.log.file.keep")).toBeUndefined();
});

it("configRows() shows a word, or the keys of the object in its place", async () => {
  const models = {
    alone: { source: "a.onnx", batch: "off" as const },
    fast: { source: "b.onnx", batch: { rowsMax: 8 }, slo: { availability: "99.9%" } },
  };
  const services = { fast: { limits: { rate: "5/h" }, overload: { fallback: "alone" } } };
  const input = { models, services };
  const loaded = await loadConfig({ input, flags: [], env: {}, cwd: tmpdir() });
  if (loaded.kind === "invalid") throw new Error(JSON.stringify(loaded.problems));
  const rows = configRows(loaded);
  const shown = (start: string) =>
    rows.flatMap(({ path, value, source }) =>
      path.startsWith(start) ? [`${path} ${JSON.stringify(value)} ${source}`] : [],
    );
  expect(shown("models.alone.batch")).toEqual(['models.alone.batch "off" input']);
  expect(shown("models.fast.batch")).toEqual([
    "models.fast.batch.rowsMax 8 input",
    'models.fast.batch.delay "0ms" default',
    'models.fast.batch.oversize "split" default',
  ]);
  expect(shown("models.alone.slo")).toEqual([]);
  expect(shown("models.fast.slo")).toEqual(['models.fast.slo.availability "99.9%" input']);
  expect(shown("services.fast.limits")).toEqual([
    'services.fast.limits.concurrency "auto" default',
    "services.fast.limits.queue 1000 default",
    'services.fast.limits.rate "5/h" input',
  ]);
  expect(shown("services.alone.overload")).toEqual(['services.alone.overload "reject" default']);
  expect(shown("services.fast.overload")).toEqual([
    'services.fast.overload {"fallback":"alone"} input',
  ]);
});

it("configRows() shows neither secrets nor what came from the environment", async () => {
  const rows = configRows(await load());
  expect(rows.find((row) => row.path === "server.auth.keys")?.value).toEqual([
    { name: "a", secret: "(secret)" },
    { name: "b", secret: "(secret)" },
  ]);
  expect(rows.find((row) => row.path === "models.iris.source")?.value).toBe("${FOLDER}/iris.onnx");
  expect(JSON.stringify(rows)).not.toContain("hidden");
});

it("printConfigText() writes one aligned line a key", async () => {
  const lines = printConfigText(await load())
    .trimEnd()
    .split("\n");
  expect(lines[0]).toMatch(/^name +shop +file millrace.yaml:1:7$/);
  expect(new Set(lines.map((line) => line.search(/(?<= {2})\S/))).size).toBe(1);
});

it("printConfigJson() writes the same rows as JSON", async () => {
  const loaded = await load();
  expect(JSON.parse(printConfigJson(loaded))).toEqual(configRows(loaded));
});

it("configRows() hides what a remote step is sent, and nothing else of a graph", async () => {
  const headers = { authorization: "Bearer hidden", "x-key": "${KEY}" };
  const remote = { remote: "http://h/v2/models/m", headers };
  const input = {
    models: { a: "a.onnx" },
    services: { s: { graph: { sequence: [remote, "a"] } } },
  };
  const loaded = await loadConfig({ input, flags: [], env: { KEY: "hidden" }, cwd: tmpdir() });
  if (loaded.kind === "invalid") throw new Error(JSON.stringify(loaded.problems));
  const row = configRows(loaded).find(({ path }) => path === "services.s.graph");
  const shown = { authorization: "(secret)", "x-key": "(secret)" };
  expect(row?.value).toEqual({ sequence: [{ ...remote, headers: shown }, "a"] });
});
