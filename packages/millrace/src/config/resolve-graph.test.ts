import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ServiceConfig, StepConfig } from "./config.ts";
import { loadConfig } from "./load.ts";
import type { LoadResult } from "./load.ts";
import { renderProblem } from "./problem.ts";

const MODELS = "models: { a: a.onnx, b: b.onnx, c: c.onnx }\n";

let folder = "";

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "millrace-graph-")));
  await writeFile(join(folder, "prepare.ts"), "");
  await writeFile(join(folder, "features.mjs"), "");
  await writeFile(join(folder, "labels.txt"), "red\ngreen\n");
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function load(services: string): Promise<LoadResult> {
  await writeFile(join(folder, "millrace.yaml"), `${MODELS}services:\n${services}`);
  return loadConfig({ flags: [], env: {}, cwd: folder });
}

async function servicesOf(services: string): Promise<Readonly<Record<string, ServiceConfig>>> {
  const result = await load(services);
  if (result.kind === "invalid") throw new Error(result.problems.map(renderProblem).join("\n"));
  return result.config.services;
}

async function graphOf(graph: string, others = ""): Promise<StepConfig | undefined> {
  const services = await servicesOf(`  shop: { graph: ${graph} }\n${others}`);
  return services["shop"]?.graph;
}

async function linesOf(services: string): Promise<readonly string[]> {
  const result = await load(services);
  return result.kind === "ok" ? [] : result.problems.map(renderProblem);
}

/** Name and place of every step: `name at kind`. */
function outline(step: StepConfig | undefined): readonly string[] {
  if (step === undefined) return [];
  const what = step.kind === "model" ? `model ${step.model}` : step.kind;
  return [
    `${step.name} (${what}) ${step.at.slice(1).join("/")}`,
    ...insideOf(step).flatMap(outline),
  ];
}

function insideOf(step: StepConfig): readonly StepConfig[] {
  switch (step.kind) {
    case "sequence":
      return step.members.flatMap(({ step: member, onError }) =>
        typeof onError === "string" ? [member] : [member, onError],
      );
    case "parallel":
      return step.branches;
    case "switch":
      return [...step.cases.map(({ to }) => to), step.default];
    default:
      return [];
  }
}

describe("resolveGraph()", () => {
  it("names every step after its branch, its name, or what it runs, and says where it is written", async () => {
    const graph = await graphOf(
      "{ sequence: [{ function: prepare.ts }, { parallel: { x: a, y: { sequence: [b, { softmax: 1 }] } }, name: both }, { top: 2 }] }",
    );
    expect(outline(graph)).toEqual([
      "shop (sequence) shop/graph",
      "prepare (function) shop/graph/sequence/0",
      "both (parallel) shop/graph/sequence/1",
      "x (model a) shop/graph/sequence/1/parallel/x",
      "y (sequence) shop/graph/sequence/1/parallel/y",
      "b (model b) shop/graph/sequence/1/parallel/y/sequence/0",
      "softmax (softmax) shop/graph/sequence/1/parallel/y/sequence/1",
      "top (top) shop/graph/sequence/2",
    ]);
  });

  it("numbers steps of a sequence that would have one name", async () => {
    const graph = await graphOf("{ sequence: [a, { top: 1, name: a-2 }, a, { step: a }] }");
    expect(outline(graph).slice(1)).toEqual([
      "a (model a) shop/graph/sequence/0",
      "a-2 (top) shop/graph/sequence/1",
      "a-3 (model a) shop/graph/sequence/2",
      "a-4 (model a) shop/graph/sequence/3/step",
    ]);
  });

  it("puts the steps of a service in the place of its name", async () => {
    const graph = await graphOf(
      "{ parallel: { x: plain, y: pair } }",
      "  plain: { graph: a }\n  pair: { graph: { sequence: [b, plain] } }\n",
    );
    expect(outline(graph)).toEqual([
      "shop (parallel) shop/graph",
      "x (model a) plain/graph",
      "y (sequence) pair/graph",
      "b (model b) pair/graph/sequence/0",
      "plain (model a) plain/graph",
    ]);
  });

  it("lets a member's onError win over that of the sequence, and fails without one", async () => {
    const graph = await graphOf(
      "{ sequence: [a, { step: b, onError: skip }, { step: c, onError: fail }], onError: c }",
    );
    if (graph?.kind !== "sequence") throw new Error("no sequence");
    const [first, second, third] = graph.members.map(({ onError }) => onError);
    expect(first).toMatchObject({ kind: "model", model: "c", name: "c" });
    expect(first).toHaveProperty("at", ["services", "shop", "graph", "onError"]);
    expect([second, third]).toEqual(["skip", "fail"]);
    const plain = await graphOf("{ sequence: [a] }");
    expect(plain).toMatchObject({ members: [{ onError: "fail" }], map: {}, versions: "latest" });
  });

  it("fills in what a parallel and a switch leave out", async () => {
    expect(await graphOf("{ parallel: { x: a } }")).toMatchObject({
      combine: "each",
      onError: "omit",
      timeoutMs: undefined,
    });
    const graph = await graphOf(
      "{ switch: [{ when: { caller: x }, to: a }, { when: { caller: y }, to: a }, { name: rest, when: { percent: 10% }, to: b }], default: c }",
    );
    if (graph?.kind !== "switch") throw new Error("no switch");
    expect(graph.cases.map(({ name }) => name)).toEqual(["a", "a-2", "rest"]);
    expect(graph.cases.map(({ to }) => to.name)).toEqual(["a", "a", "b"]);
    expect(graph.default).toMatchObject({ kind: "model", model: "c" });
    expect(graph.cases[2]?.when).toEqual({
      kind: "percent",
      share: 0.1,
      salt: "services.shop.graph.rest",
    });
  });

  it("reads conditions on inputs, for numbers as numbers", async () => {
    const graph = await graphOf(
      "{ switch: [{ when: { input: { label: 3, score: { atLeast: 0.5 } } }, to: a }], default: b }",
    );
    if (graph?.kind !== "switch") throw new Error("no switch");
    expect(graph.cases[0]?.when).toEqual({
      kind: "all",
      conditions: [
        { kind: "input", name: "label", test: { kind: "equals", value: 3 } },
        { kind: "input", name: "score", test: { kind: "atLeast", bound: 0.5 } },
      ],
    });
  });

  it("makes paths absolute and reads options with their units", async () => {
    expect(
      await graphOf("{ function: ./prepare.ts, timeout: 50ms, threads: 2, queue: 7 }"),
    ).toEqual({
      kind: "function",
      name: "shop",
      at: ["services", "shop", "graph"],
      function: { path: join(folder, "prepare.ts"), timeoutMs: 50, threads: 2, queue: 7 },
    });
    expect(await graphOf("{ load: features.mjs }")).toMatchObject({
      kind: "load",
      function: { path: join(folder, "features.mjs"), timeoutMs: 1000, threads: 1, queue: 100 },
    });
    expect(await graphOf("{ parallel: { x: a }, combine: prepare.ts }")).toMatchObject({
      combine: { path: join(folder, "prepare.ts") },
    });
  });

  it("gives an image its values for each channel", async () => {
    expect(await graphOf("{ image: { width: 4, height: 3 } }")).toMatchObject({
      kind: "image",
      image: {
        width: 4,
        height: 3,
        fit: "fill",
        channels: "rgb",
        mean: [0, 0, 0],
        std: [1, 1, 1],
        scale: 1 / 255,
        layout: "nchw",
        datatype: "FP32",
        pixelsMax: 50_000_000,
        bytesMax: 16 * 1024 * 1024,
      },
    });
    expect(
      await graphOf(
        "{ image: { width: 4, height: 3, channels: gray, mean: 0.5, datatype: FP32 } }",
      ),
    ).toMatchObject({ image: { mean: [0.5], std: [1] } });
    expect(await graphOf("{ image: { width: 4, height: 3, datatype: UINT8 } }")).toMatchObject({
      image: { scale: 1 },
    });
  });

  it("reads a remote step, its labels from a file", async () => {
    const graph = await graphOf(
      "{ remote: 'http://h:8501', protocol: tensorflow, model: m, version: 3, inputs: { x: { datatype: FP32, shape: [-1, 2] } }, labels: labels.txt, headers: { X-Key: k } }",
    );
    expect(graph).toEqual({
      kind: "remote",
      name: "shop",
      at: ["services", "shop", "graph"],
      remote: {
        urls: ["http://h:8501"],
        protocol: "tensorflow",
        model: "m",
        version: "3",
        inputs: [{ name: "x", datatype: "FP32", shape: [-1, 2] }],
        outputs: undefined,
        labels: ["red", "green"],
        headers: { "X-Key": "k" },
        timeoutMs: 1000,
        concurrency: 64,
        replyBytesMax: 16 * 1024 * 1024,
        ejection: {
          failures: 5,
          everyMs: 10_000,
          timeMs: 30_000,
          timeMsMax: 300_000,
          shareMax: 0.1,
          healthyMin: 0.5,
        },
        hedge: undefined,
      },
    });
  });

  it("reads a remote step of several servers, with what it does about one that fails or is slow", async () => {
    const remote = "remote: ['http://h:1', 'http://h:2']";
    expect(
      await graphOf(
        `{ ${remote}, model: m, ejection: { failures: 3, time: 5s }, hedge: { after: 50ms } }`,
      ),
    ).toMatchObject({
      remote: {
        urls: ["http://h:1", "http://h:2"],
        ejection: { failures: 3, timeMs: 5_000, shareMax: 0.1 },
        hedge: { after: 50 },
      },
    });
    expect(
      await graphOf(`{ ${remote}, model: m, ejection: off, hedge: { after: p95 } }`),
    ).toMatchObject({
      remote: { ejection: undefined, hedge: { after: "p95" } },
    });
  });

  it("makes a service of a step that stands in for another one", async () => {
    const services = await servicesOf(
      "  shop: { graph: a, overload: { fallback: { sequence: [b, c] } } }",
    );
    expect(services["shop"]?.overload).toEqual({ kind: "fallback", model: "shop.fallback" });
    expect(services["shop.fallback"]).toMatchObject({
      graph: { kind: "sequence", at: ["services", "shop", "overload", "fallback"] },
      overload: { kind: "reject" },
    });
  });

  it("leads rules and fallbacks to the model of a service that runs one, else to the service itself", async () => {
    const services = await servicesOf(
      [
        "  plain: { graph: a }",
        "  shop: { graph: { sequence: [a, b] }, overload: { fallback: plain } }",
        "  other: { graph: shop, parameters: { deactivated: { fallback: c } } }",
        "  front: { graph: plain, traffic: { rules: [{ name: r, when: { caller: x }, to: shop }] } }",
      ].join("\n"),
    );
    expect(services["shop"]?.overload).toEqual({ kind: "fallback", model: "a" });
    expect(services["other"]?.parameters.deactivated).toEqual({ fallback: "c" });
    expect(services["front"]?.rules[0]?.to).toBe("shop");
  });

  it.each<readonly [string, readonly string[]]>([
    [
      "  shop: { graph: { sequence: [a, bb] } }",
      [
        'millrace.yaml:3:34 services.shop.graph.sequence[1]: found "bb", expected the name of a model or service: a, b, c. Did you mean "b"?',
      ],
    ],
    [
      "  shop: { graph: { parallel: { x: nobody, y: { sequence: [{ step: a, onError: skp }] } } } }",
      [
        'millrace.yaml:3:35 services.shop.graph.parallel.x: found "nobody", expected the name of a model or service: a, b, c',
        'millrace.yaml:3:79 services.shop.graph.parallel.y.sequence[0].onError: found "skp", expected fail, skip or the name of a model or service: a, b, c. Did you mean "skip"?',
      ],
    ],
    [
      "  x: { graph: { sequence: [a, y] } }\n  y: { graph: { parallel: { z: z } } }\n  z: { graph: { sequence: [x] } }\n  w: { graph: { sequence: [y] } }",
      [
        "millrace.yaml:3:31 services.x.graph.sequence[1]: services run each other in a cycle: x -> y -> z -> x",
      ],
    ],
    [
      "  x: { graph: { sequence: [a, { step: x, onError: skip }] } }",
      [
        "millrace.yaml:3:39 services.x.graph.sequence[1].step: services run each other in a cycle: x -> x",
      ],
    ],
    [
      "  a: { graph: { sequence: [b, c] } }",
      [
        'millrace.yaml:3:15 services.a.graph: name clash: "a" is also a model, so its service can only run that one; found an object',
      ],
    ],
    [
      "  shop: { graph: { sequence: [{ top: 1, name: p }, { top: 2, name: p }, { top: 3, name: input }] } }",
      [
        'millrace.yaml:3:68 services.shop.graph.sequence[1].name: found "p" again, expected a name of its own',
        'millrace.yaml:3:89 services.shop.graph.sequence[2].name: found "input", which has a meaning of its own here, expected a name of its own',
      ],
    ],
    [
      "  shop: { graph: { parallel: { default: a, x: { top: 1, name: y } } } }",
      [
        'millrace.yaml:3:41 services.shop.graph.parallel.default: "default" is no name of a branch: thresholds.default is for all of them',
        'millrace.yaml:3:63 services.shop.graph.parallel.x.name: found a name, expected none: the branch is called "x"',
      ],
    ],
    [
      "  shop: { graph: { switch: [{ name: default, when: { caller: x }, to: a }], default: b } }",
      [
        'millrace.yaml:3:37 services.shop.graph.switch[0].name: found "default", which has a meaning of its own here, expected a name of its own',
      ],
    ],
    [
      "  shop: { graph: { sequence: [{ function: gone.ts }, { parallel: { x: a }, combine: ./gone.mjs }] } }",
      [
        'millrace.yaml:3:43 services.shop.graph.sequence[0].function: file "gone.ts" does not exist',
        'millrace.yaml:3:85 services.shop.graph.sequence[1].combine: file "./gone.mjs" does not exist',
      ],
    ],
    [
      "  shop: { graph: { remote: 'ftp://h' } }",
      [
        'millrace.yaml:3:28 services.shop.graph.remote: found "ftp://h", expected an http:// or https:// address with a host',
      ],
    ],
    [
      "  shop: { graph: { remote: ['http://h', ftp://h, 'http://h'] } }",
      [
        'millrace.yaml:3:41 services.shop.graph.remote[1]: found "ftp://h", expected an http:// or https:// address with a host',
        'millrace.yaml:3:50 services.shop.graph.remote[2]: found "http://h", which is there already, expected each address once',
      ],
    ],
    [
      "  shop: { graph: { remote: 'http://h', hedge: { after: p95 } } }",
      [
        "millrace.yaml:3:47 services.shop.graph.hedge: expected several addresses in remote: the second call goes to another one",
      ],
    ],
    [
      "  shop: { graph: { remote: 'http://' } }",
      [
        'millrace.yaml:3:28 services.shop.graph.remote: found "http://", expected an http:// or https:// address with a host',
      ],
    ],
    [
      "  shop: { graph: { remote: 'https://me:hidden@h/x' } }",
      [
        'millrace.yaml:3:28 services.shop.graph.remote: found "https://(secret)@h/x", expected no name and password in it: use headers, such as authorization',
      ],
    ],
    [
      "  shop: { graph: { remote: 'https://h/x', protocol: json, model: m, version: 2, labels: gone.txt } }",
      [
        'millrace.yaml:3:66 services.shop.graph.model: found "m", expected none: protocol json has no model',
        "millrace.yaml:3:78 services.shop.graph.version: found 2, expected none: protocol json has no version",
        'millrace.yaml:3:89 services.shop.graph.labels: label file "gone.txt" does not exist',
      ],
    ],
  ])("refuses %s", async (services, problems) => {
    expect(await linesOf(services)).toEqual(problems);
  });

  it("says once what is wrong in a service that is a step of another", async () => {
    const lines = await linesOf(
      "  x: { graph: { sequence: [y] } }\n  y: { graph: { sequence: [nobody] } }",
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('services.y.graph.sequence[0]: found "nobody"');
  });

  it("says nothing more of a graph whose form is wrong", async () => {
    const lines = await linesOf(
      "  x: { graph: { sequence: [y, { topp: 1 }] }, parameters: { activate: { p: false } } }\n  y: { graph: { sequence: [a] } }",
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("services.x.graph.sequence[1]: found an object with topp");
  });

  it("takes a graph from a variable or a flag as JSON, and values of the environment in one", async () => {
    const input = { models: { a: "a.onnx" }, services: { shop: {} } };
    const env = { MILLRACE_SERVICES_SHOP_GRAPH: '{"sequence":["a",{"top":"${COUNT}"}]}' };
    const flags = ["--services.other.graph", '{"softmax":1}'];
    const written = {
      ...input,
      services: { shop: { graph: { top: "${COUNT}" as unknown as number } } },
    };
    const count = { COUNT: "3" };
    const own = await loadConfig({ input: written, flags, env: count, cwd: folder });
    if (own.kind === "invalid") throw new Error(own.problems.map(renderProblem).join("\n"));
    expect(own.config.services["shop"]?.graph).toMatchObject({ kind: "top", count: 3 });
    expect(own.config.services["other"]?.graph).toMatchObject({ kind: "softmax", axis: 1 });
    const result = await loadConfig({ input, flags: [], env, cwd: folder });
    const lines = result.kind === "ok" ? [] : result.problems.map(renderProblem);
    expect(lines).toEqual([
      'environment MILLRACE_SERVICES_SHOP_GRAPH services.shop.graph.sequence[1].top: found "${COUNT}", expected a whole number 1 to 100000',
    ]);
  });

  it("bounds how deep steps are nested, through services too", async () => {
    const nest = (levels: number, inner: string): string =>
      levels === 0 ? inner : `{ sequence: [${nest(levels - 1, inner)}] }`;
    await servicesOf(`  shop: { graph: ${nest(8, "a")} }`);
    const message =
      "millrace.yaml:3:18 services.shop.graph: steps are nested too deeply, expected at most 8 levels";
    expect(await linesOf(`  shop: { graph: ${nest(9, "a")} }`)).toEqual([message]);
    const other = `\n  other: { graph: ${nest(5, "a")} }`;
    expect(await linesOf(`  shop: { graph: ${nest(4, "other")} }${other}`)).toEqual([message]);
  });

  it("bounds the number of steps, however services multiply them", async () => {
    const services = Array.from({ length: 9 }, (_, level) => {
      const name = `s${level}`;
      const next = level === 8 ? "a" : `s${level + 1}`;
      return `  ${name}: { graph: { sequence: [${next}, ${next}, ${next}] } }`;
    });
    const lines = await linesOf(services.slice(2).join("\n"));
    expect(lines[0]).toBe(
      "millrace.yaml:3:16 services.s2.graph: leads to more than 256 steps, expected at most that",
    );
  });
});
