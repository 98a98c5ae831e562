import { describe, expect, it } from "vitest";
import type { Config } from "./config.ts";
import { loadConfig } from "./load.ts";
import { renderProblem } from "./problem.ts";
import type { ConfigInput } from "./schema.ts";

async function load(log: ConfigInput["log"], serviceLog?: object, rest: object = {}) {
  const input = {
    models: { iris: "a.onnx" },
    services: { iris: { graph: "iris", ...(serviceLog && { log: serviceLog }) } },
    ...(log && { log }),
    ...rest,
  } as ConfigInput;
  return loadConfig({ input, flags: [], env: {}, cwd: import.meta.dirname });
}

async function configOf(...of: Parameters<typeof load>): Promise<Config> {
  const result = await load(...of);
  if (result.kind === "invalid") throw new Error(result.problems.map(renderProblem).join("\n"));
  return result.config;
}

async function problemsOf(...of: Parameters<typeof load>): Promise<readonly string[]> {
  const result = await load(...of);
  return result.kind === "ok" ? [] : result.problems.map((problem) => renderProblem(problem));
}

describe("resolvePredictionLog()", () => {
  it("takes words and times for durability", async () => {
    expect((await configOf({ durability: "batch" })).log.durability).toEqual({ kind: "batch" });
    expect((await configOf({ durability: "1s" })).log.durability).toEqual({
      kind: "interval",
      everyMs: 1000,
    });
    expect(await problemsOf({ durability: "5ms" })).toEqual([
      'log.durability: found "5ms", expected 10ms to 1m',
    ]);
  });

  it("makes the path of the text lines absolute", async () => {
    const { log } = await configOf({ text: { path: "lines.log" } });
    expect(log.text?.path).toMatch(/^\/.*lines\.log$/);
  });

  it("puts the ends of buckets in order", async () => {
    const redact = { email: "drop", age: { bucket: [50, 18, 30] }, income: { bucket: 1000 } };
    expect((await configOf({ redact } as ConfigInput["log"])).log.redact).toEqual({
      email: { kind: "drop" },
      age: { kind: "bucket", by: [18, 30, 50] },
      income: { kind: "bucket", by: 1000 },
    });
  });

  it.each([
    [
      { sink: "s3" },
      /log\.sink: found "s3", which is not in this version, expected parquet or off/,
    ],
    [{ sink: "paquet" }, /log\.sink: found "paquet", expected parquet or off/],
    [{ redact: { email: "hide" } }, /log\.redact\.email: found "hide", expected drop, mask, hmac/],
    [{ redact: { age: { bucket: 0 } } }, /log\.redact\.age/],
    [{ key: "short" }, /log\.key/],
    [{ walMax: "1KiB" }, /log\.walMax: found "1KiB".*1MiB to 65536GiB/],
    [{ retentoin: {} }, /log\.retentoin: unknown key.*Did you mean "retention"/],
  ])("refuses %j", async (log, problem) => {
    const problems = await problemsOf(log as ConfigInput["log"]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });

  it("never shows the key", async () => {
    const problems = await problemsOf({ key: "geheim" });
    expect(problems.join()).not.toContain("geheim");
  });
});

describe("resolveServiceLog()", () => {
  it("reads what is taken from a request", async () => {
    const { services } = await configOf(undefined, {
      unit: "header.X-User-Id",
      attributes: { region: "query.Region", tier: "body.customer.tier", seen: "cookie.a.b" },
    });
    expect(services["iris"]?.log).toMatchObject({
      unit: { from: "header", name: "x-user-id" },
      attributes: {
        region: { from: "query", name: "Region" },
        tier: { from: "body", path: ["customer", "tier"] },
        seen: { from: "cookie", name: "a.b" },
      },
    });
  });

  it.each([["x-user-id"], ["headers.x"], ["header."], ["body..a"], ["header.x."]])(
    "refuses the unit %j",
    async (unit) => {
      expect(await problemsOf(undefined, { unit })).toEqual([
        expect.stringContaining("services.iris.log.unit"),
      ]);
    },
  );

  it("takes a share of the predictions", async () => {
    const { services } = await configOf(undefined, { sample: "10%", payload: "metadata" });
    expect(services["iris"]?.log).toMatchObject({ sample: 0.1, payload: "metadata" });
  });
});

describe("traces", () => {
  it("are off unless there is a collector", async () => {
    expect((await configOf(undefined)).traces).toBeUndefined();
    const traces = { endpoint: "http://127.0.0.1:4318" };
    expect((await configOf(undefined, undefined, { traces })).traces).toEqual({
      ...traces,
      sample: 1,
      headers: {},
    });
  });

  it("refuse what is no address, without its password", async () => {
    for (const endpoint of ["ftp://ann:geheim@x", "http://ann:geheim@[x", "http://"]) {
      const problems = await problemsOf(undefined, undefined, { traces: { endpoint } });
      expect(problems).toEqual([expect.stringContaining("an http:// or https:// address")]);
      expect(problems.join()).not.toContain("geheim");
    }
  });

  it("never show their headers", async () => {
    const traces = { endpoint: "ftp://x", headers: { "x-key": "geheim" } };
    const problems = await problemsOf(undefined, undefined, { traces });
    expect(problems).toHaveLength(1);
    expect(problems.join()).not.toContain("geheim");
  });
});
