import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { ModelConfig } from "./config.ts";
import { loadConfig } from "./load.ts";
import { configRows } from "./print.ts";
import { renderProblem } from "./problem.ts";

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "millrace-program-")));
});
afterEach(() => rm(folder, { recursive: true }));

async function load(model: string) {
  await writeFile(join(folder, "millrace.yaml"), `models:\n  iris: { ${model} }\n`);
  return loadConfig({ flags: [], env: { TOKEN: "hush" }, cwd: folder });
}

async function modelOf(text: string): Promise<ModelConfig> {
  const result = await load(text);
  if (result.kind === "ok") return result.config.models["iris"] as ModelConfig;
  throw new Error(result.problems.map(renderProblem).join("\n"));
}

async function problemsOf(text: string): Promise<string[]> {
  const result = await load(text);
  return result.kind === "ok" ? [] : result.problems.map(renderProblem);
}

it("resolveProgram() gives a program with every default when only the command is written", async () => {
  const model = await modelOf("runtime: process, command: [python3, serve.py]");
  expect(model.source).toEqual({ kind: "program" });
  expect(model.program).toEqual({
    model: "iris",
    command: ["python3", "serve.py"],
    folder,
    files: [],
    hasSource: false,
    env: {},
    startMs: 30_000,
  });
});

it("resolveProgram() takes source, folder, environment and time as the file says", async () => {
  const { source, program } = await modelOf(
    'runtime: process, command: [./run, "{source}", "{port}"], source: ./m.joblib, cwd: sub, env: { KEY: "${TOKEN}" }, startTimeout: 2s',
  );
  expect(source).toEqual({ kind: "path", path: join(folder, "m.joblib") });
  expect(program).toMatchObject({
    command: ["./run", "{source}", "{port}"],
    folder: join(folder, "sub"),
    hasSource: true,
    env: { KEY: "hush" },
    startMs: 2000,
  });
});

it("resolveProgram() counts files of its folder to the model, not what links out of it", async () => {
  await mkdir(join(folder, "venv"));
  await writeFile(join(folder, "serve.py"), "");
  await symlink(process.execPath, join(folder, "venv/python"));
  const command = `[./venv/python, serve.py, serve.py, ${process.execPath}, venv]`;
  const { program } = await modelOf(`runtime: process, command: ${command}`);
  expect(program?.files).toEqual([join(folder, "serve.py")]);
});

it.each([
  ["source: a.onnx, command: [run]", "models.iris.command: command is for runtime: process"],
  ["source: a.onnx, cwd: sub", "models.iris.cwd: cwd is for runtime: process"],
  ["runtime: process", "models.iris.command: missing, runtime: process needs the program"],
  [
    "runtime: process, command: []",
    "models.iris.command: found a list, expected a list of 1 to 256 words",
  ],
  ["runtime: process, command: python3 serve.py", "models.iris.command: found "],
  ["runtime: process, command: [run], placement: inline", "models.iris.placement: found inline"],
  ['runtime: process, command: [run, "{source}"]', "models.iris.command: {source} stands in it"],
  ["runtime: process, command: [run], fallback: a.onnx", "models.iris.fallback: a program without"],
  ['runtime: process, command: [run], env: { "A-B": x }', "models.iris.env"],
  ["runtime: process, command: [run], startTimeout: 30", "models.iris.startTimeout: found 30"],
  ["runtime: onnx", "models.iris.source: missing, expected a path or an https:// address"],
])("resolveProgram() of { %s } says what is wrong", async (text, expected) => {
  const problems = await problemsOf(text);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(expected);
});

it("resolveProgram() leaves values of env out of what is printed", async () => {
  const result = await load("runtime: process, command: [run], env: { KEY: hush-hush }");
  if (result.kind !== "ok") throw new Error("It does not load");
  expect(JSON.stringify(configRows(result))).not.toContain("hush");
});
