import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fixtureModel } from "../fixtures/fixture-model.ts";
import { MillraceProcess, ROOT, runMillrace } from "./millrace-process.ts";

const IRIS = join(ROOT, "examples/models/iris_svc.onnx");

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "millrace-cli-"))));
afterEach(() => rm(folder, { recursive: true }));

/** Runs in the test's folder; no output may ever show a stack trace. */
async function run(...words: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const { code, stdout, stderr } = await runMillrace(words, { cwd: folder });
  expect(`${stdout}\n${stderr}`).not.toMatch(/^\s+at .*\(/m);
  return { code, out: stdout, err: stderr };
}

async function writeConfig(text: string): Promise<void> {
  await writeFile(join(folder, "millrace.yaml"), text);
}

test("millrace lists its commands and exits 0 when asked for nothing", async () => {
  const { code, out } = await run();
  expect(code).toBe(0);
  for (const command of ["up", "serve", "predict", "check", "config print", "inspect", "init"]) {
    expect(out).toContain(`  ${command}`);
  }
});

test.each(["up", "serve", "predict", "check", "config print", "config schema", "inspect", "init"])(
  "millrace %s --help shows usage and an example",
  async (command) => {
    const { code, out } = await run(...command.split(" "), "--help");
    expect(code).toBe(0);
    expect(out).toContain(`Usage: millrace ${command}`);
    expect(out).toMatch(/Examples:\n {2}millrace /);
  },
);

test("millrace exits 2 and suggests the nearest command when it is unknown", async () => {
  const { code, err } = await run("serv");
  expect(code).toBe(2);
  expect(err).toContain('Unknown command "serv"');
  expect(err).toContain('Did you mean "serve"?');
});

test("check reports every mistake at once with line, column and what is allowed", async () => {
  await writeConfig(
    "server:\n  drain: 30\nmodels:\n  iris:\n    sorce: ./iris.onnx\nservices:\n  a: { graph: b }\n  b: { graph: a }\n",
  );
  const { code, err } = await run("check");
  expect(code).toBe(2);
  expect(err).toContain("millrace.yaml:2:10 server.drain:");
  expect(err).toMatch(/found 30, expected a duration/);
  expect(err).toContain("millrace.yaml:5:5 models.iris.sorce:");
  expect(err).toContain('Did you mean "source"?');
  expect(err).toMatch(/a -> b -> a|b -> a -> b/);
});

test("check exits 2 and names the file when a model is not there", async () => {
  await writeConfig("models:\n  iris: ./none.onnx\n");
  const { code, err } = await run("check");
  expect(code).toBe(2);
  expect(err).toContain("millrace.yaml:2:9");
  expect(err).toContain("none.onnx");
});

test("check exits 1 and says why when a model does not load, 0 when all do", async () => {
  await writeConfig(`models:\n  iris: ${IRIS}\n  old: ${fixtureModel("opset-99.onnx")}\n`);
  const broken = await run("check");
  expect(broken.code).toBe(1);
  expect(broken.out).toContain("iris: loads\n");
  expect(broken.out).toMatch(/old: FAILS: .*opset/);
  await writeConfig(`models:\n  iris: ${IRIS}\n`);
  expect((await run("check")).code).toBe(0);
});

test("config print shows each value with its source, and no secret", async () => {
  await writeConfig(
    `server:\n  auth: { keys: [{ name: shop, secret: hush-hush, scopes: [infer] }] }\nmodels:\n  iris: ${IRIS}\n`,
  );
  const { code, out } = await run("config", "print", "--port", "9000");
  expect(code).toBe(0);
  expect(out).toMatch(/server\.httpPort +9000 +flag --port/);
  expect(out).toMatch(/server\.host +127\.0\.0\.1 +default/);
  expect(out).toContain("file millrace.yaml:4:9");
  expect(out).not.toContain("hush-hush");
});

test("config schema prints the JSON Schema of the file", async () => {
  const { code, out } = await run("config", "schema");
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ type: "object", properties: { models: {} } });
});

test("inspect shows inputs, outputs, what would be changed, and times", async () => {
  const { code, out } = await run("inspect", IRIS);
  expect(code).toBe(0);
  expect(out).toMatch(/input +float_input {2}FP32 \[any, 4\]/);
  expect(out).toMatch(/output +probabilities {2}FP32 \[any, 3\] {2}\(the prediction\)/);
  expect(out).toMatch(/change +Removed the ZipMap/);
  expect(out).toMatch(/time +64 rows: /);
});

test("inspect exits 1 and says what the file is when it is no model", async () => {
  const { code, err } = await run("inspect", join(ROOT, "README.md"));
  expect(code).toBe(1);
  expect(err).toContain("it is not an ONNX file but a text file");
});

test("init writes a file that runs, and never over one that is there", async () => {
  const { code } = await run("init", IRIS, "--name", "iris", "--labels", "a,b,c", "--yes");
  expect(code).toBe(0);
  expect(await readFile(join(folder, "millrace.yaml"), "utf8")).toContain(
    'labels: ["a", "b", "c"]',
  );
  expect((await run("check")).code).toBe(0);
  expect((await run("init", IRIS, "--yes")).code).toBe(2);
});

test("serve exits 2 when the model file on the command line is not there", async () => {
  const { code, err } = await run("serve", "none.onnx");
  expect(code).toBe(2);
  expect(err).toContain("none.onnx");
});

test("predict finds the running server, prints the prediction, and says what is wrong", async () => {
  const millrace = await MillraceProcess.start(["serve", IRIS], { cwd: folder });
  try {
    const good = await run("predict", "iris_svc", "--data", "[[5.1,3.5,1.4,0.2]]");
    expect(good).toMatchObject({ code: 0, err: "" });
    const { prediction } = JSON.parse(good.out) as { prediction: number[] };
    expect(prediction[0]).toBeCloseTo(0.96691585, 5);
    const bad = await run("predict", "--data", '[[5.1,"x"]]', "--url", millrace.url);
    expect(bad.code).toBe(1);
    expect(bad.err).toContain('found "x", expected a number');
  } finally {
    await millrace.stop();
  }
});

test("predict exits 1 and names the address when nothing runs", async () => {
  const { code, err } = await run("predict", "--data", "[[1]]", "--url", "http://127.0.0.1:9");
  expect(code).toBe(1);
  expect(err).toContain("127.0.0.1:9");
});
