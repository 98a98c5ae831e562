import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { loadConfig } from "./load.ts";
import type { ConfigInput } from "./schema.ts";
import { sizingWarnings } from "./sizing-warnings.ts";
import type { Machine } from "./sizing-warnings.ts";

/** Warnings of a configuration on a machine of 4 cores with 2 serve processes. */
async function warningsOf(
  input: ConfigInput,
  machine: Partial<Machine> = {},
  flags: readonly string[] = [],
): Promise<readonly string[]> {
  const loaded = await loadConfig({ input, flags, env: {}, cwd: tmpdir() });
  if (loaded.kind === "invalid") throw new Error(JSON.stringify(loaded.problems));
  const warnings = sizingWarnings(loaded, { coreCount: 4, processCount: 2, ...machine });
  return warnings.map(({ location, message }) => [location, message].filter(Boolean).join(": "));
}

const IRIS = { source: "iris.onnx" };

describe("sizingWarnings() of threads", () => {
  it("is silent as long as every thread has a core", async () => {
    expect(await warningsOf({ models: { iris: "iris.onnx" } })).toEqual([]);
    const models = { iris: { ...IRIS, threads: 2 } };
    expect(await warningsOf({ models })).toEqual([]);
    const server = { processes: 2 };
    expect(await warningsOf({ server, models: { iris: { ...IRIS, instances: 2 } } })).toEqual([]);
  });

  it("names the three keys and what to set the largest to", async () => {
    const models = { iris: { ...IRIS, threads: 4, instances: 2 }, small: IRIS };
    expect(await warningsOf({ models }, { processCount: 1 })).toEqual([
      "models.iris.threads 4 × models.iris.instances 2 × server.processes 1 = 8 threads for 4 cores, set models.iris.threads to at most 2",
    ]);
  });

  it("counts an instance of auto as one, and warns of processes once they are a number", async () => {
    const server = { processes: 8 };
    expect(await warningsOf({ server, models: { iris: IRIS } }, { processCount: 8 })).toEqual([
      "models.iris.threads 1 × models.iris.instances 1 × server.processes 8 = 8 threads for 4 cores, set server.processes to at most 4",
    ]);
  });

  it("asks for all of them when one alone is not enough", async () => {
    const input = { server: { processes: 2 }, models: { iris: { ...IRIS, threads: 2 } } };
    expect(await warningsOf(input, { coreCount: 1 })).toEqual([
      "models.iris.threads 2 × models.iris.instances 1 × server.processes 2 = 4 threads for 1 core, lower them until the product is at most 1",
    ]);
  });

  it("points at the flag that asked for it", async () => {
    const input = { models: { iris: IRIS } };
    const [line] = await warningsOf(input, {}, ["--models.iris.threads", "16"]);
    expect(line).toMatch(/^flag --models.iris.threads: models.iris.threads 16 × /);
  });
});

describe("sizingWarnings() of delays and limits", () => {
  it("warns of a batch delay above half of the latency objective", async () => {
    const modelsWith = (delay: string) => ({
      models: { iris: { ...IRIS, batch: { delay }, slo: { latencyP99: "25ms" } } },
    });
    expect(await warningsOf(modelsWith("12ms"))).toEqual([]);
    expect(await warningsOf(modelsWith("13ms"))).toEqual([
      "models.iris.batch.delay 13ms is more than half of models.iris.slo.latencyP99 25ms, set it to at most 12ms",
    ]);
  });

  it("warns of fewer requests at a time than processes", async () => {
    const inputWith = (concurrency: number | "auto" | "off") => ({
      models: { iris: IRIS },
      services: { iris: { limits: { concurrency } } },
    });
    expect(await warningsOf(inputWith(2))).toEqual([]);
    expect(await warningsOf(inputWith("auto"))).toEqual([]);
    expect(await warningsOf(inputWith("off"))).toEqual([]);
    expect(await warningsOf(inputWith(1))).toEqual([
      "services.iris.limits.concurrency 1 for 2 processes, each runs at least 1 request: set it to at least 2, or server.processes to at most 1",
    ]);
  });
});
