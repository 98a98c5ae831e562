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
