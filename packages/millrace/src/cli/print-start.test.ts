import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import type { ConfigInput } from "../config/schema.ts";
import { printStart, type StartFacts } from "./print-start.ts";

const MODEL = {
  name: "iris",
  isReady: true,
  isRequired: true,
  state: "READY",
  versions: [1],
  problem: undefined,
  fallbackReason: undefined,
  placement: undefined,
  instances: undefined,
  batch: undefined,
} as const;

/** What a start with these facts prints, as lines without the first and the last. */
async function print(facts: Partial<StartFacts>, isJson = false): Promise<string> {
  const input: ConfigInput = {
    name: "shop",
    models: { iris: { source: "iris.onnx", threads: 2 } },
    services: { iris: { limits: { concurrency: 7, rate: "2000/s" } } },
  };
  const loaded = await loadConfig({ input, flags: [], env: {}, cwd: tmpdir() });
  if (loaded.kind === "invalid") throw new Error(JSON.stringify(loaded.problems));
  let text = "";
  const io = {
    stdout: { write: (part: string) => (text += part) },
    stderr: { write: () => undefined },
    env: {},
    cwd: tmpdir(),
  };
  const all: StartFacts = {
    config: loaded.config,
    httpPort: 8000,
    grpcPort: 8001,
    metricsPort: 8002,
    controlPort: 8080,
    models: [MODEL],
    graphs: [],
    processes: 2,
    tookMs: 10,
    ...facts,
  };
  printStart(all, isJson, io);
  return text;
}

function factLines(text: string): readonly string[] {
  return text.trimEnd().split("\n").slice(1, -1);
}

it("printStart() prints every address, every model, and the limits that hold in each process", async () => {
  const model = { ...MODEL, placement: "worker", instances: 1, batch: "up to 64 rows" } as const;
  expect(factLines(await print({ models: [model] }))).toEqual([
    "  http     http://127.0.0.1:8000",
    "  docs     http://127.0.0.1:8000/docs",
    "  grpc     127.0.0.1:8001",
    "  metrics  http://127.0.0.1:8002/metrics",
    "  control  http://127.0.0.1:8080",
    "  model    iris@1  ready",
    "           worker, 1 instance × 2 threads, up to 64 rows",
    "  service  iris → iris  POST /predict",
    "           concurrency 3 to 4, queue 500, rate 1000/s in each of 2 processes",
  ]);
});

it("printStart() leaves out what does not listen and what a model does not say", async () => {
  const off = { grpcPort: undefined, metricsPort: undefined, controlPort: undefined };
  const text = await print({ ...off, processes: 1 });
  expect(factLines(text)).toEqual([
    "  http     http://127.0.0.1:8000",
    "  docs     http://127.0.0.1:8000/docs",
    "  model    iris@1  ready",
    "  service  iris → iris  POST /predict",
    "           concurrency 7, queue 1000, rate 2000/s",
  ]);
});

it("printStart() prints one line of JSON with the addresses, models and limits", async () => {
  const text = await print({}, true);
  expect(text).toMatch(/^\{.*\}\n$/);
  expect(JSON.parse(text)).toMatchObject({
    name: "shop",
    http: "http://127.0.0.1:8000",
    grpc: "127.0.0.1:8001",
    metrics: "http://127.0.0.1:8002/metrics",
    control: "http://127.0.0.1:8080",
    processes: 2,
    models: [{ name: "iris", versions: [1] }],
    services: [{ name: "iris", limits: { concurrency: 7, queue: 1000, ratePerSecond: 2000 } }],
  });
});
