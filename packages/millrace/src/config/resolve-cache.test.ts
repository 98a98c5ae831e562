import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Config } from "./config.ts";
import { loadConfig } from "./load.ts";
import type { LoadResult } from "./load.ts";
import { configRows } from "./print.ts";
import { renderProblem } from "./problem.ts";

let folder = "";

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "millrace-cache-")));
  await writeFile(join(folder, "features.ts"), "");
  await writeFile(join(folder, "frequent.json"), "[[[1, 2]], [[3, 4]]]");
  await writeFile(join(folder, "one.json"), '{"data": [[1, 2]]}');
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function load(rest: string): Promise<LoadResult> {
  await writeFile(join(folder, "millrace.yaml"), `models: { a: a.onnx }\n${rest}`);
  return loadConfig({ flags: [], env: {}, cwd: folder });
}

async function configOf(rest: string): Promise<Config> {
  const result = await load(rest);
  if (result.kind === "invalid") throw new Error(result.problems.map(renderProblem).join("\n"));
  return result.config;
}

async function linesOf(rest: string): Promise<readonly string[]> {
  const result = await load(rest);
  return result.kind === "ok" ? [] : result.problems.map(renderProblem);
}

describe("resolveCache()", () => {
  it("caches nothing unless it is told to", async () => {
    const { services } = await configOf("");
    expect(services["a"]?.cache).toEqual({ prediction: undefined, data: undefined });
  });

  it("fills in what a cache leaves out", async () => {
    const { services } = await configOf(
      "services: { s: { graph: { sequence: [{ load: features.ts }, a] }, cache: { prediction: {}, data: {} } } }",
    );
    const bounds = { ttlMs: 3_600_000, entriesMax: 10_000, bytesMax: 256 * 1024 * 1024 };
    expect(services["s"]?.cache).toEqual({
      prediction: { ...bounds, lookup: "before", warmUp: [] },
      data: { ...bounds, key: "id" },
    });
  });

  it("reads a warm-up list, from a file too", async () => {
    const warmUp = async (written: string) => {
      const { services } = await configOf(
        `services: { a: { cache: { prediction: { ttl: 30d, lookup: parallel, warmUp: ${written} } } } }`,
      );
      return services["a"]?.cache.prediction?.warmUp;
    };
    expect(await warmUp("[[[5, 6]]]")).toEqual([[[5, 6]]]);
    expect(await warmUp("'@frequent.json'")).toEqual([[[1, 2]], [[3, 4]]]);
  });

  it.each([
    "{ parallel: { x: { function: features.ts }, y: a } }",
    "{ switch: [{ when: { caller: x }, to: { image: { width: 1, height: 1 } } }], default: a }",
  ])("keeps data of a graph that begins with %s", async (graph) => {
    const { services } = await configOf(
      `services: { s: { graph: ${graph}, cache: { data: { key: user } } } }`,
    );
    expect(services["s"]?.cache.data?.key).toBe("user");
  });

  it.each<readonly [string, string]>([
    [
      "services: { a: { cache: { data: {} } } }",
      "millrace.yaml:2:33 services.a.cache.data: the graph begins with no load, image or function step, whose results are kept",
    ],
    [
      "services: { a: { cache: { prediction: { warmUp: '@gone.json' } } } }",
      'millrace.yaml:2:49 services.a.cache.prediction.warmUp: warm-up file "@gone.json" does not exist',
    ],
    [
      "services: { a: { cache: { prediction: { warmUp: '@one.json' } } } }",
      'millrace.yaml:2:49 services.a.cache.prediction.warmUp: warm-up file "@one.json" holds no list of requests',
    ],
    [
      "services: { a: { cache: { prediction: { ttl: 3600 } } } }",
      "millrace.yaml:2:46 services.a.cache.prediction.ttl: found 3600, expected a duration with its unit: ms, s, m, h, d (3600s?)",
    ],
    [
      "services: { a: { cache: { prediction: { lookup: parallell } } } }",
      'millrace.yaml:2:49 services.a.cache.prediction.lookup: found "parallell", expected before or parallel. Did you mean "parallel"?',
    ],
    [
      "services: { a: { overload: cached } }",
      'millrace.yaml:2:28 services.a.overload: found "cached", expected cache.prediction beside it: nothing is cached without',
    ],
  ])("refuses %s", async (services, problem) => {
    expect(await linesOf(services)).toEqual([problem]);
  });

  it("lets overload take what is cached", async () => {
    const { services } = await configOf(
      "services: { a: { overload: cached, cache: { prediction: {} } } }",
    );
    expect(services["a"]?.overload).toEqual({ kind: "cached" });
  });
});

describe("state.cache", () => {
  it.each<readonly [string, Config["cacheStore"]]>([
    ["memory", { kind: "memory" }],
    ["redis://127.0.0.1:6379", { kind: "redis", url: "redis://127.0.0.1:6379" }],
    ["rediss://u:p%40s@h/2", { kind: "redis", url: "rediss://u:p%40s@h/2" }],
  ])("takes %s", async (address, store) => {
    expect((await configOf(`state: { cache: '${address}' }`)).cacheStore).toEqual(store);
  });

  it.each<readonly [string, string]>([
    ["redis://:hidden@/0", "redis://(secret)@/0"],
    ["redis://u:hid/den@h:1", "redis://(secret)@h:1"],
    ["redis://h/main?password=hidden", "redis://h/main?(secret)"],
  ])("refuses %s without its secret", async (address, shown) => {
    const [line, ...others] = await linesOf(`state: { cache: '${address}' }`);
    expect(others).toEqual([]);
    expect(line).toBe(
      `millrace.yaml:2:17 state.cache: found "${shown}", expected redis:// or rediss:// with a host, and maybe /<number of the database>`,
    );
  });

  it.each(["redis", "valkey://h", "redis:"])("refuses %s", async (word) => {
    const [line] = await linesOf(`state: { cache: '${word}' }`);
    expect(line).toContain("expected memory or an address redis://… or rediss://…");
  });

  it("is printed without its secret", async () => {
    const result = await load("state: { cache: 'redis://u:hidden@h:6379?password=hidden' }");
    if (result.kind === "invalid") throw new Error(result.problems.map(renderProblem).join("\n"));
    const row = configRows(result).find(({ path }) => path === "state.cache");
    expect(row?.value).toBe("redis://(secret)@h:6379?(secret)");
  });
});
