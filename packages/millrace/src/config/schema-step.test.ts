import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { configJsonSchema } from "./json-schema.ts";
import { loadConfig } from "./load.ts";
import { renderProblem } from "./problem.ts";
import type { ConfigInput } from "./schema.ts";
import type { StepInput } from "./schema-step.ts";

let folder = "";

const matchesSchema = new Ajv2020({ strict: false, logger: false }).compile(configJsonSchema());

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "millrace-step-")));
  for (const file of ["prepare.ts", "features.mjs", "combine.js"]) {
    await writeFile(join(folder, file), "");
  }
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

function inputWith(graph: unknown): ConfigInput {
  return {
    models: { a: "a.onnx", b: "b.onnx" },
    services: { shop: { graph: graph as StepInput } },
  };
}

/** The problems of a file with a service that has this graph, without the path up to it. */
async function problemsOf(graph: unknown): Promise<readonly string[]> {
  const result = await loadConfig({ input: inputWith(graph), flags: [], env: {}, cwd: folder });
  if (result.kind === "ok") return [];
  return result.problems.map((one) => renderProblem(one).replace("services.shop.graph", "graph"));
}

it.each<StepInput>([
  "a",
  { sequence: ["a", "b"] },
  { sequence: ["a", { step: "b", onError: "skip" }], map: { x: "a.y" }, name: "chain" },
  { sequence: ["a", { step: "b", onError: "a" }], versions: "together", onError: "fail" },
  { sequence: ["a", { step: { top: 3 }, onError: { sequence: ["b"] } }], onError: "b" },
  { parallel: { x: "a", y: { sequence: ["b", { softmax: -1 }] } } },
  { parallel: { x: "a", y: "b" }, combine: "vote", onError: "fail", timeout: "200ms" },
  { parallel: { x: "a", y: "b" }, combine: "./combine.js" },
  { switch: [{ when: { header: { target: "mountain" } }, to: "a" }], default: "b" },
  {
    switch: [
      { name: "cats", when: { input: { labels: ["cat", "lion"] } }, to: "a" },
      { when: { not: { input: { score: { atLeast: 0.5 } } } }, to: { parallel: { x: "b" } } },
    ],
    default: "b",
  },
  { softmax: 1, name: "probabilities" },
  { top: 5 },
  { image: { width: 224, height: 224 } },
  {
    image: {
      width: 299,
      height: 299,
      fit: "cover",
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      layout: "nhwc",
      pixelsMax: 1_000_000,
      bytesMax: "1MiB",
    },
  },
  { image: { width: 28, height: 28, channels: "gray", mean: [0.5], datatype: "FP32" } },
  { image: { width: 28, height: 28, datatype: "UINT8", scale: 1 } },
  { function: "./prepare.ts", timeout: "100ms", threads: 2, queue: 0 },
  { load: "features.mjs" },
  { remote: "http://127.0.0.1:8501", protocol: "tensorflow", model: "resnet", version: 3 },
  {
    remote: "https://models.example.com/v1/score?plan=a",
    protocol: "json",
    inputs: { x: { datatype: "FP32", shape: [-1, 4] } },
    outputs: { y: { datatype: "FP32", shape: [-1, 3] } },
    labels: ["r", "g", "b"],
    headers: { authorization: "Bearer secret" },
    timeout: "300ms",
    concurrency: 8,
    replyMax: "1MiB",
  },
])("step takes %j, as its JSON Schema does", async (graph) => {
  expect(await problemsOf(graph)).toEqual([]);
  matchesSchema(inputWith(graph));
  expect(matchesSchema.errors).toBeNull();
});

const STEP =
  "a step: the name of a model or service, or an object with one of sequence, parallel, switch, image, function, load, remote, softmax, top";

it.each<readonly [unknown, string]>([
  [5, `graph: found 5, expected ${STEP}`],
  [null, `graph: found nothing, expected ${STEP}`],
  [["a"], `graph: found a list, expected ${STEP}`],
  ["a b", `graph: found "a b", expected ${STEP}`],
  [{}, `graph: found an empty object, expected ${STEP}`],
  [
    { sequense: ["a"] },
    `graph: found an object with sequense, expected ${STEP}. Did you mean "sequence"?`,
  ],
  [{ map: {}, onError: "skip" }, `graph: found an object with map, onError, expected ${STEP}`],
  [
    { sequence: ["a"], parallel: { x: "a" } },
    "graph: found sequence and parallel in one object, expected only one of them",
  ],
  [
    { stages: { quick: "a", full: "b" } },
    `graph: found stages, which is not in this version, expected ${STEP}`,
  ],
  [
    { sequence: ["a"], mapp: {} },
    'graph.mapp: unknown key "mapp"; known keys: sequence, map, versions, onError, name. Did you mean "map"?',
  ],
  [
    { parallel: { x: "a" }, map: {} },
    'graph.map: unknown key "map"; known keys: parallel, combine, onError, timeout, name',
  ],
  [{ sequence: [] }, "graph.sequence: found a list, expected a list of one or more steps"],
  [{ sequence: "a" }, 'graph.sequence: found "a", expected a list of one or more steps'],
  [{ sequence: ["a", 7] }, `graph.sequence[1]: found 7, expected ${STEP}`],
  [
    { sequence: ["a", { step: "b", onErro: "skip" }] },
    'graph.sequence[1].onErro: unknown key "onErro"; known keys: step, onError. Did you mean "onError"?',
  ],
  [
    { sequence: ["a", { step: "b", top: 3 }] },
    "graph.sequence[1]: found step and top in one object, expected only one of them",
  ],
  [
    { sequence: ["a", { onError: "skip" }] },
    `graph.sequence[1]: found an object with onError, expected ${STEP}`,
  ],
  [
    { sequence: ["a", { step: "b", onError: 5 }] },
    "graph.sequence[1].onError: found 5, expected fail, skip or a step",
  ],
  [
    { sequence: ["a"], versions: "same" },
    'graph.versions: found "same", expected latest or together',
  ],
  [{ parallel: {} }, "graph.parallel: found no branch, expected at least one"],
  [{ parallel: ["a"] }, "graph.parallel: found a list, expected an object"],
  [{ parallel: { x: "a" }, onError: "skip" }, 'graph.onError: found "skip", expected omit or fail'],
  [
    { parallel: { x: "a" }, combine: "meen" },
    'graph.combine: found "meen", expected each, argmax, mean, vote or the path of a .ts, .mts, .js or .mjs file. Did you mean "mean"?',
  ],
  [
    { parallel: { x: "a" }, timeout: 200 },
    "graph.timeout: found 200, expected a duration with its unit: ms, s, m, h, d (200s?)",
  ],
  [
    { parallel: { "x y": "a" } },
    'graph.parallel.x y: found the name "x y", expected a name: letters, digits, ".", "_" and "-", beginning with a letter or digit, at most 128, not "stats"',
  ],
  [{ switch: [{ when: { caller: "x" }, to: "a" }] }, `graph.default: missing, expected ${STEP}`],
  [
    { switch: [{ when: { caler: "x" }, to: "a" }], default: "b" },
    'graph.switch[0].when.caler: unknown key "caler"; known keys: header, query, cookie, body, input, method, path, caller, percent, time, place, all, any, not. Did you mean "caller"?',
  ],
  [
    { switch: [{ when: { caller: "x" } }], default: "b" },
    `graph.switch[0].to: missing, expected ${STEP}`,
  ],
  [
    { softmax: 0 },
    "graph.softmax: found 0, expected the number of an axis: 1 to 16, or -1 for the last one; 0 counts the rows",
  ],
  [{ top: 0 }, "graph.top: found 0, expected a whole number 1 to 100000"],
  [{ image: { width: 224 } }, "graph.image.height: missing, expected a whole number 1 to 16384"],
  [
    { image: { width: 1, height: 1, mean: [1, 2] } },
    "graph.image.mean: found 2 numbers, expected 3: one for each channel of rgb",
  ],
  [
    { image: { width: 1, height: 1, channels: "gray", std: [1, 1, 1] } },
    "graph.image.std: found 3 numbers, expected 1: one for each channel of gray",
  ],
  [
    { image: { width: 1, height: 1, std: 0 } },
    "graph.image.std: found 0, expected a number above 0, or a list of them",
  ],
  [
    { image: { width: 1, height: 1, datatype: "UINT8", mean: 0.5 } },
    "graph.image.mean: UINT8 are the values 0 to 255 as they are, expected no mean",
  ],
  [
    { function: "./prepare.py" },
    'graph.function: found "./prepare.py", expected the path of a .ts, .mts, .js or .mjs file',
  ],
  [
    { function: "./prepare.ts", thread: 2 },
    'graph.thread: unknown key "thread"; known keys: function, timeout, threads, queue, name. Did you mean "threads"?',
  ],
  [
    { remote: "http://h", protocol: "tensorflo" },
    'graph.protocol: found "tensorflo", expected oip, tensorflow, kserve-v1 or json. Did you mean "tensorflow"?',
  ],
  [
    { remote: "http://h", inputs: { x: { datatype: "FP3", shape: [1] } } },
    'graph.inputs.x.datatype: found "FP3", expected BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, BF16, FP32, FP64 or BYTES. Did you mean "FP32"?',
  ],
  [
    { remote: "http://h", inputs: { x: { datatype: "FP32", shape: [-2] } } },
    "graph.inputs.x.shape[0]: found -2, expected a whole number, or -1 for any",
  ],
  [
    { remote: "http://h", headers: "Bearer abc" },
    "graph.headers: found (secret), expected an object",
  ],
  [
    { remote: "http://h", headers: { authorization: "a\nb" } },
    "graph.headers.authorization: found (secret), expected visible ASCII characters, blanks and tabs",
  ],
])("step refuses %j and says one thing about it", async (graph, problem) => {
  expect(await problemsOf(graph)).toEqual([problem]);
});

it("step says everything that is wrong in a graph, however deep it stands", async () => {
  const graph = {
    sequence: [
      { parallel: { x: { sequence: ["a", { topp: 3 }] }, y: { remote: 5 } } },
      { step: { switch: [{ when: { percent: 10 }, to: "b" }], default: {} }, onError: "skip" },
    ],
  };
  expect(
    (await problemsOf(graph)).map((line) => line.replace(/, expected .*?(\.|$)/, "$1")),
  ).toEqual([
    'graph.sequence[0].parallel.x.sequence[1]: found an object with topp. Did you mean "top"?',
    "graph.sequence[0].parallel.y.remote: found 5",
    "graph.sequence[1].step.switch[0].when.percent: found 10",
    "graph.sequence[1].step.default: found an empty object",
  ]);
});

it("step is described with every key, as nothing live", () => {
  const { $defs } = configJsonSchema();
  const forms = $defs?.["step"]?.anyOf ?? [];
  expect(forms.map(({ tellingKey }) => tellingKey)).toEqual([
    undefined,
    "sequence",
    "parallel",
    "switch",
    "image",
    "function",
    "load",
    "remote",
    "softmax",
    "top",
  ]);
  for (const { properties = {} } of forms) {
    for (const [key, node] of Object.entries(properties)) {
      expect([key, node.description]).toEqual([key, expect.any(String)]);
      expect([key, node.live ?? false]).toEqual([key, false]);
    }
  }
});
