import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { LiveOverride } from "./live-overrides.ts";
import { loadConfig, type LoadResult } from "./load.ts";
import { configRows, liveRow, type LoadedConfig } from "./print.ts";
import { renderProblem } from "./problem.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-live-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const QUEUE = "services.iris.limits.queue";

async function load(services: string): Promise<LoadedConfig> {
  writeFileSync(
    join(folder, "millrace.yaml"),
    `models: { iris: iris.onnx }\nservices: ${services}\n`,
  );
  const env = { MILLRACE_SERVICES_IRIS_LIMITS_QUEUE: "50" };
  const flags = ["--services.iris.timeout", "5s"];
  const result = await loadConfig({ flags, env, cwd: folder });
  if (result.kind === "invalid") throw new Error(result.problems.map(renderProblem).join("\n"));
  return result;
}

function ok(result: LoadResult): LoadedConfig {
  if (result.kind === "ok") return result;
  throw new Error(result.problems.map(renderProblem).join("\n"));
}

function problems(result: LoadResult): string[] {
  return result.kind === "ok" ? [] : result.problems.map(renderProblem);
}

function override(path: string, value: unknown, version = 1): LiveOverride {
  return { path, value, version };
}

describe("layOver()", () => {
  it("wins over flag, environment and file, and config print says so", async () => {
    const file = await load("{ iris: { limits: { queue: 7 } } }");
    const laid = ok(
      await file.layOver([override(QUEUE, 3, 4), override("services.iris.timeout", "1s", 5)]),
    );
    const { limits, timeoutMs } = laid.config.services["iris"] ?? {};
    expect([limits?.queue, timeoutMs]).toEqual([3, 1000]);
    expect(liveRow(laid, QUEUE)).toEqual({ path: QUEUE, value: 3, source: "override v4" });
    const printed = configRows(laid).find(({ path }) => path === "services.iris.timeout");
    expect(printed).toMatchObject({ value: "1s", source: "override v5" });
    expect(file.config.services["iris"]?.limits.queue).toBe(50);
  });

  it("switches a branch over `activate: true`, which says nothing of branches; false stays in the way", async () => {
    const graph = "{ parallel: { setosa: iris, virginica: iris } }";
    const written = (active: "true" | "false") =>
      load(`{ two: { graph: ${graph}, parameters: { activate: ${active} } } }`);
    const branch = override("services.two.parameters.activate.virginica", false);
    const laid = ok(await (await written("true")).layOver([branch]));
    expect(laid.config.services["two"]?.parameters).toMatchObject({
      isActive: true,
      branches: { virginica: false },
    });
    const blocked = problems(await (await written("false")).layOver([branch]));
    expect(blocked).toEqual([expect.stringContaining("activate is false, a single value")]);
  });

  it("lays a whole before its parts when one change sets both, in whatever order", async () => {
    const file = await load("{ iris: {} }");
    const whole = override("services.iris.overload", { fallback: "iris" }, 3);
    const part = override("services.iris.overload.fallback", "other", 3);
    for (const both of [
      [whole, part],
      [part, whole],
    ]) {
      expect(problems(await file.layOver(both)).join()).toContain("other");
    }
  });

  it("does not read the file again", async () => {
    const file = await load("{ iris: { limits: { rate: 10/s } } }");
    writeFileSync(join(folder, "millrace.yaml"), "broken: [");
    const laid = ok(await file.layOver([override(QUEUE, 3)]));
    expect(laid.config.services["iris"]?.limits).toMatchObject({ queue: 3, ratePerSecond: 10 });
  });

  it("gives each value to the newest, a part of one also over the whole", async () => {
    const graph = "{ parallel: { setosa: iris, virginica: iris }, combine: each }";
    const file = await load(`{ iris: {}, both: { graph: ${graph} } }`);
    const thresholds = "services.both.parameters.thresholds";
    const laid = ok(
      await file.layOver([
        override(`${thresholds}.setosa`, 0.5, 2),
        override(thresholds, { setosa: 0.9, virginica: 0.8 }, 1),
      ]),
    );
    expect(liveRow(laid, thresholds)?.value).toEqual({ setosa: 0.5, virginica: 0.8 });
  });

  it.each([
    [QUEUE, -1, `override v1 ${QUEUE}: found -1, expected a whole number 0 to 1000000`],
    [QUEUE, "3", `override v1 ${QUEUE}: found "3", expected a whole number`],
    ["services.iris.timeout", 3, "override v1 services.iris.timeout: found 3, expected a duration"],
    ["services.iris.limits", {}, "override v1 services.iris.limits: not a live key"],
    ["services.iris.limits.que", 1, 'Did you mean "services.iris.limits.queue"?'],
  ])("refuses %s = %j in the schema's words", async (path, value, message) => {
    const file = await load("{ iris: {} }");
    const [problem, ...others] = problems(await file.layOver([override(path, value)]));
    expect(problem).toContain(message);
    expect(others).toEqual([]);
  });

  it("refuses a part of what the file has as a single value", async () => {
    const file = await load("{ iris: { parameters: { activate: false } } }");
    const path = "services.iris.parameters.activate";
    const [problem] = problems(await file.layOver([override(`${path}.virginica`, false)]));
    expect(problem).toContain(`${path} is false, a single value: set it as a whole`);
    expect(problems(await file.layOver([override(path, true)]))).toEqual([]);
  });
});
